/** `logout`, `revoke` and `probe` of one access token: one result on stdout, messages on stderr, an exit code. */

import { probe } from "../end-session.ts";
import { SessionError } from "../errors.ts";
import type { Endpoint } from "../record.ts";
import {
  askWithin,
  endAndVerify,
  errorJsonOf,
  isRefusal,
  type Outcome,
  outcomeJsonOf,
  said,
  unproven,
} from "./outcome.ts";
import { type Colour, coloured, type Io, print, say } from "./output.ts";
import { accessTokenOf, configOf } from "./settings.ts";
import type { Flags } from "./usage.ts";

const REFUSED =
  "The server does not accept it (401): it has ended before, expired, or is of another environment or region. --accept-401 counts that as ended.";

const messages = {
  confirmed: "The server has ended it.",
  "already-invalid": "The server does not accept this token, which --accept-401 counts as ended.",
  unconfirmed: "Not confirmed: the token may be alive.",
};

/** @returns the exit code; @throws UsageError */
export async function endToken(endpoint: Endpoint, flags: Flags, io: Io): Promise<number> {
  const config = configOf(flags, io);
  const accessToken = await accessTokenOf(io);
  const target = { accessToken, region: config.region };
  const outcome = withAccepted401(
    await endAndVerify(askWithin(config, config.retries), endpoint, target, flags.verify),
    flags["accept-401"],
  );
  const isEnded = outcome.server !== "unconfirmed";
  const json = { endpoint, ...outcomeJsonOf(outcome) };
  const isPrinted = await printResult(flags, io, json, outcome.server, isEnded ? "green" : "red");
  say(io, `${messages[outcome.server]}${reasonOf(outcome)}`, isEnded ? undefined : "red");
  return isEnded && isPrinted ? 0 : 1;
}

async function printResult(
  { json }: Flags,
  io: Io,
  result: object,
  word: string,
  colour: Colour,
): Promise<boolean> {
  const at = new Date().toISOString();
  const line = json ? JSON.stringify({ ...result, at }) : coloured(word, colour, io.stdout);
  const code = await print(io, line);
  if (code) say(io, `The result "${word}" cannot be written (${code}).`, "red");
  return code === undefined;
}

/** A lone 401 proves nothing, unless the caller knows better; in a list, others may prove it. */
function withAccepted401(outcome: Outcome, accepts401: boolean): Outcome {
  if (!isRefusal(outcome)) return outcome;
  return accepts401 ? { server: "already-invalid" } : unproven;
}

function reasonOf({ error, verified }: Outcome): string {
  if (error?.code === "unauthorized" && !verified) return ` ${REFUSED}`;
  if (verified === "active") return " The server said that it had ended it, and still accepts it.";
  if (verified === "invalid") return " It is not accepted any more.";
  return `${verified ? " Could not check whether it is still accepted." : ""}${error ? ` (${said(error)})` : ""}`;
}

/** @returns the exit code; @throws UsageError */
export async function probeToken(flags: Flags, io: Io): Promise<number> {
  const config = configOf(flags, io);
  const accessToken = await accessTokenOf(io);
  try {
    const token = await probe(config, { accessToken });
    const colour = token === "active" ? "green" : "yellow";
    return (await printResult(flags, io, { token }, token, colour)) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    await printResult(flags, io, { token: "unknown", error: errorJsonOf(error) }, "unknown", "red");
    say(io, `Inconclusive: the server did not answer the question. (${said(error)})`, "red");
    return 1;
  }
}
