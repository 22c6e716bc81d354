/** `logout`, `revoke` and `probe` of one access token: one result on stdout, words on stderr, an exit code. */

import { probe } from "../end-session.ts";
import { SessionError } from "../errors.ts";
import type { Endpoint } from "../record.ts";
import {
  askingWithin,
  end,
  errorJsonOf,
  isRefusal,
  type Outcome,
  outcomeJsonOf,
  said,
  unproven,
} from "./outcome.ts";
import { accessTokenOf, configOf } from "./settings.ts";
import type { Flags } from "./usage.ts";
import { coloured, print, say } from "./words.ts";

const REFUSED =
  "The server does not accept it (401): it has ended before, expired, or is of another environment or region. --accept-401 counts that as ended.";

const words = {
  confirmed: "The server has ended it.",
  "already-invalid": "The server does not accept this token, which --accept-401 counts as ended.",
  unconfirmed: "Not confirmed: the token may be alive.",
};

/** @returns the exit code; @throws UsageError */
export async function endToken(endpoint: Endpoint, flags: Flags): Promise<number> {
  const config = configOf(flags);
  const accessToken = await accessTokenOf();
  const target = { tokens: { accessToken }, region: config.region };
  const outcome = counted(
    await end(askingWithin(config, config.retries), endpoint, target, flags.verify),
    flags["accept-401"],
  );
  const isEnded = outcome.server !== "unconfirmed";
  await print(
    flags.json
      ? JSON.stringify({ endpoint, ...outcomeJsonOf(outcome) })
      : coloured(outcome.server, isEnded ? "green" : "red", process.stdout),
  );
  say(`${words[outcome.server]}${reasonOf(outcome)}`);
  return isEnded ? 0 : 1;
}

/** A lone 401 proves nothing, unless the caller knows better; in a list, others may prove it. */
function counted(outcome: Outcome, accepts401: boolean): Outcome {
  if (!isRefusal(outcome)) return outcome;
  return accepts401 ? { server: "already-invalid" } : unproven;
}

function reasonOf({ error, verified }: Outcome): string {
  if (error?.code === "unauthorized" && !verified) return ` ${REFUSED}`;
  if (verified === "active") return " The server said that it had ended it, and still accepts it.";
  if (verified === "invalid") return " It is not accepted any more.";
  return `${verified ? " Whether it is still accepted could not be found out." : ""}${error ? ` (${said(error)})` : ""}`;
}

/** @returns the exit code; @throws UsageError */
export async function probeToken(flags: Flags): Promise<number> {
  const config = configOf(flags);
  const accessToken = await accessTokenOf();
  try {
    const state = await probe(config, { accessToken });
    const colour = state === "active" ? "green" : "yellow";
    await print(flags.json ? JSON.stringify({ token: state }) : coloured(state, colour, process.stdout));
    return 0;
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    await print(
      flags.json
        ? JSON.stringify({ token: "unknown", error: errorJsonOf(error) })
        : coloured("unknown", "red", process.stdout),
    );
    say(`Inconclusive: the server did not answer the question. (${said(error)})`);
    return 1;
  }
}
