/**
 * What became of one ending, as the command line tells it: asking within a time, and the check afterwards.
 * What an answer means is the table of `../ending.ts`; when to ask again is left to the callers.
 */
import { ask, type Settled } from "../ask.ts";
import type { SessionError } from "../errors.ts";
import type { Config } from "../options.ts";
import type { Endpoint, Region } from "../record.ts";
import { createScope } from "../scope.ts";

export interface Outcome {
  server: "confirmed" | "already-invalid" | "unconfirmed";
  /** Why it is unconfirmed, unless `verified` says so. */
  error?: SessionError;
  /** What GET /v1/user said afterwards, where that was asked. */
  verified?: "invalid" | "active" | "unknown";
}

/** The token that is asked about. */
export interface Target {
  tokens: { accessToken: string };
  region: Region;
}

/** Asks, and resolves to what settled it or to the error that did not. */
export type Asking = (call: Endpoint | "user", target: Target) => Promise<Settled | SessionError>;

/** Asks within `config.timeout`, with so many further attempts. */
export function askingWithin(config: Config, retries: number): Asking {
  return async (call, { tokens: { accessToken }, region }) => {
    const scope = createScope(config.timeout);
    const patience = { retries, endsAt: Date.now() + config.timeout, scope };
    const answer = await ask(config, call, { accessToken, region }, patience).catch((reason) => reason);
    scope.close();
    return answer;
  };
}

/** Ends one token, and with `verify` asks whether it is refused from then on. */
export async function end(
  asking: Asking,
  endpoint: Endpoint,
  target: Target,
  verify: boolean,
): Promise<Outcome> {
  const server = await asking(endpoint, target);
  if (typeof server !== "string") return { server: "unconfirmed", error: server };
  if (!verify) return { server };
  const probed = await asking("user", target);
  if (probed === "already-invalid") return { server, verified: "invalid" };
  if (probed === "confirmed") return { server: "unconfirmed", verified: "active" };
  return { server: "unconfirmed", verified: "unknown", error: probed };
}

/** As JSON: of an error only what a program branches on. */
export function jsonOf({ server, error, verified }: Outcome) {
  return {
    server,
    ...(error && {
      error: { code: error.code, ...(error.status !== undefined && { status: error.status }) },
    }),
    ...(verified && { verified }),
  };
}
