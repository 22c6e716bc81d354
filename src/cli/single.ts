/** `logout`, `revoke` and `probe` of one access token: one result on stdout, words on stderr, an exit code. */

import { SessionError } from "../errors.ts";
import { probe } from "../probe.ts";
import type { Endpoint } from "../record.ts";
import { askingWithin, end, jsonOf, type Outcome } from "./outcome.ts";
import { accessTokenOf, configOf } from "./settings.ts";
import type { Flags } from "./usage.ts";
import { coloured, print, say } from "./words.ts";

const words = {
  confirmed: "The server has ended it.",
  "already-invalid":
    "The server does not accept this token: it has ended before, expired, or is of another environment.",
  unconfirmed: "Not confirmed: the token may be alive.",
};

/** @returns the exit code; @throws UsageError */
export async function endToken(endpoint: Endpoint, flags: Flags): Promise<number> {
  const config = configOf(flags);
  const accessToken = await accessTokenOf();
  const target = { tokens: { accessToken }, region: config.region };
  const outcome = await end(askingWithin(config, config.retries), endpoint, target, flags.verify);
  const isEnded = outcome.server !== "unconfirmed";
  await print(
    flags.json
      ? JSON.stringify({ endpoint, ...jsonOf(outcome) })
      : coloured(outcome.server, isEnded ? "green" : "red", process.stdout),
  );
  say(`${words[outcome.server]}${reasonOf(outcome)}`);
  return isEnded ? 0 : 1;
}

function reasonOf({ error, verified }: Outcome): string {
  if (verified === "active") return " The server said that it had ended it, and still accepts it.";
  if (verified === "invalid") return " It is not accepted any more.";
  return `${verified ? " Whether it is still accepted could not be found out." : ""}${error ? ` ${said(error)}` : ""}`;
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
    const { error: told } = jsonOf({ server: "unconfirmed", error });
    await print(
      flags.json
        ? JSON.stringify({ token: "unknown", error: told })
        : coloured("unknown", "red", process.stdout),
    );
    say(`Inconclusive: the server did not answer the question. ${said(error)}`);
    return 1;
  }
}

/** The error's words, and the server's, from which `SessionError` has taken the secrets. */
function said({ message, serverMessage, cause }: SessionError): string {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  const detail = serverMessage ?? (typeof code === "string" ? code : undefined);
  return `(${message}${detail ? `: ${detail}` : ""})`;
}
