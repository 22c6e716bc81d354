/**
 * The pace of a list: one 429 pauses all requests, the server's failures are retried, and the run stops if going on is of
 * no use.
 */
import { isRetried } from "../../ask.ts";
import { SessionError, type SessionErrorCode } from "../../errors.ts";
import type { Config } from "../../options.ts";
import { type AskToken, askWithin, said } from "../outcome.ts";

/** A longer pause is for another run. */
const LONGEST_PAUSE = 600_000;
/** Pauses with nothing but 429 between them, which take two minutes at least. */
const MOST_PAUSES = 10;
const FIRST_BACKOFF = 250;
const LONGEST_BACKOFF = 30_000;

export interface PacerOptions {
  /** Ends all pauses. */
  signal: AbortSignal;
  /** Called with the length of a pause in ms. */
  onPause(ms: number): void;
  /** Called with the reason if waiting is of no use. */
  giveUp(reason: string): void;
}

export type Pacer = ReturnType<typeof createPacer>;

/** Pauses all requests together: as long as `Retry-After` says, or else twice as long each time. */
export function createPacer({ signal, onPause, giveUp }: PacerOptions) {
  let pauses = 0;
  let inARow = 0;
  let until = 0;

  function pause(isFirst: boolean, retryAfter: number): void {
    if (isFirst) {
      pauses += 1;
      inARow += 1;
    }
    // A short Retry-After that comes again and again is not believed.
    const ms = Math.max(retryAfter, Math.min(FIRST_BACKOFF * 2 ** (inARow - 1), LONGEST_BACKOFF));
    if (inARow > MOST_PAUSES) giveUp("the server answers 429 to everything");
    else if (Date.now() + ms > until) {
      until = Date.now() + ms;
      onPause(ms);
    }
  }

  return {
    /** Resolves when a request may go out, to the number of the pause before it. */
    async turn(): Promise<number> {
      while (until > Date.now() && !signal.aborted) await rest(until - Date.now(), signal);
      return pauses;
    },
    /** Takes the answer to a request of that turn; undefined if it asks for no pause. */
    answered(turn: number, error: SessionError | undefined): void {
      const { retryAfter } = error ?? {};
      // Of a burst of answers without a time, only the first counts.
      const isFirst = turn === pauses;
      if (!error) inARow = 0;
      else if (retryAfter !== undefined && retryAfter > LONGEST_PAUSE)
        giveUp(`the server asks to wait ${Math.ceil(retryAfter / 60_000)} minutes`);
      else if (isFirst || retryAfter !== undefined) pause(isFirst, retryAfter ?? 0);
    },
  };
}

/** Resolves after a time, or at once when the signal is aborted. */
function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

/** Answers of one kind in a row, after which the run stops. */
const LIMIT = 20;

const breakingErrors: Partial<Record<SessionErrorCode, string>> = {
  network: "the server does not answer",
  timeout: "the server does not answer",
  "client-key-invalid": "the server does not accept the client key",
  "client-key-missing": "the server says that it was given no client key",
};

/** Returns a function that takes each answer, and gives up once 20 in a row say nothing about their token. */
export function createCircuitBreaker(
  giveUp: (reason: string) => void,
): (answer: string | SessionError) => void {
  let last: string | undefined;
  let inARow = 0;
  return (answer) => {
    const kind = answer instanceof SessionError ? breakingErrors[answer.code] : undefined;
    inARow = kind !== undefined && kind === last ? inARow + 1 : 1;
    last = kind;
    if (answer instanceof SessionError && kind !== undefined && inARow === LIMIT)
      giveUp(`${kind}, ${LIMIT} times in a row (${said(answer)})`);
  };
}

/** Asks behind the pauses of the pacer. A 429 is retried as often as the pacer allows, other failures `retries` times. */
export function askWithPacing(
  pacer: Pacer,
  config: Config,
  signal: AbortSignal,
  onAnswer: (answer: string | SessionError) => void,
): AskToken {
  const ask = askWithin(config, 0);
  return async (call, target) => {
    let last: SessionError | undefined;
    for (let attempt = 0; ; ) {
      const turn = await pacer.turn();
      if (signal.aborted) return last ?? new SessionError("aborted");
      const answer = await ask(call, target);
      onAnswer(answer);
      // Another status may ask for a pause, too: 503 (RFC 9110, section 10.2.3).
      const isPause =
        typeof answer !== "string" && (answer.code === "rate-limited" || answer.retryAfter !== undefined);
      pacer.answered(turn, isPause ? answer : undefined);
      if (typeof answer === "string") return answer;
      last = answer;
      if (answer.code === "rate-limited") continue;
      if (!isRetried(answer.code) || attempt >= config.retries) return answer;
      if (!isPause) await rest(FIRST_BACKOFF * 2 ** attempt, signal);
      attempt += 1;
    }
  };
}
