/**
 * Asks for a list: one request at a time, behind the pause that all requests share. What the server or the
 * network failed at is asked again after a wait of its own; a 429 as often as the pacer sees a use in it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isRetried } from "../../ask.ts";
import { SessionError } from "../../errors.ts";
import type { Config } from "../../options.ts";
import { type Asking, askingWithin } from "../outcome.ts";
import { listFetch } from "./fetch.ts";
import type { Pacer } from "./pacer.ts";

const BACKOFF = 250;

/** @param heard - told of each answer */
export function askingWith(
  pacer: Pacer,
  config: Config,
  isStopped: () => boolean,
  heard: (answer: Awaited<ReturnType<Asking>>) => void,
): Asking {
  const ask = askingWithin({ ...config, fetch: listFetch }, 0);
  return async (call, target) => {
    let last: SessionError | undefined;
    for (let attempt = 0; ; ) {
      const turn = await pacer.turn();
      if (isStopped()) return last ?? new SessionError("aborted");
      const answer = await ask(call, target);
      heard(answer);
      const wantsRest = typeof answer !== "string" && isRest(answer);
      pacer.heard(turn, wantsRest ? answer : undefined);
      if (typeof answer === "string") return answer;
      last = answer;
      // All requests wait for it together, however often.
      if (answer.code === "rate-limited") continue;
      if (!isRetried(answer.code) || attempt >= config.retries) return answer;
      if (!wantsRest) await sleep(BACKOFF * 2 ** attempt);
      attempt += 1;
    }
  };
}

/** Another status may ask to wait too: 503 (RFC 9110, section 10.2.3). */
const isRest = ({ code, retryAfter }: SessionError) => code === "rate-limited" || retryAfter !== undefined;
