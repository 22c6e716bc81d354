/**
 * The outcome of one ending on the command line: the question, and the check afterwards. The meaning of an answer is the
 * table of `../ask.ts`; retries are left to the callers.
 */
import type { Settled } from "../ask.ts";
import { endSession, type ProbeTarget, probe } from "../end-session.ts";
import { SessionError } from "../errors.ts";
import type { Config } from "../options.ts";
import type { Endpoint } from "../record.ts";
import { names } from "./settings.ts";

export interface Outcome {
  server: "confirmed" | "already-invalid" | "unconfirmed";
  /** Why it is unconfirmed, unless `verified` says so. */
  error?: SessionError;
  /** The answer of GET /v1/user afterwards, with `--verify`. */
  verified?: "invalid" | "active" | "unknown";
}

/** Asks, and resolves to what settled it or to the error that did not. */
export type AskToken = (call: Endpoint | "user", target: ProbeTarget) => Promise<Settled | SessionError>;

/** Which kind of session an endpoint ends. */
const grants = { logout: "login", revoke: "oauth" } as const;

/** Asks within `config.timeout`, with so many further attempts. */
export function askWithin(config: Config, retries: number): AskToken {
  return async (call, target) => {
    try {
      if (call === "user")
        return (await probe({ ...config, retries }, target)) === "active" ? "confirmed" : "already-invalid";
      const { server, error } = await endSession({ ...config, retries }, { ...target, grant: grants[call] });
      return server === "unconfirmed" ? (error as SessionError) : server;
    } catch (error) {
      return error as SessionError;
    }
  };
}

/** Ends one token, and with `verify` asks whether it is refused from then on. */
export async function endAndVerify(
  ask: AskToken,
  endpoint: Endpoint,
  target: ProbeTarget,
  verify: boolean,
): Promise<Outcome> {
  const server = await ask(endpoint, target);
  if (typeof server !== "string") return { server: "unconfirmed", error: server };
  if (!verify) return { server };
  const probed = await ask("user", target);
  if (probed === "already-invalid") return { server, verified: "invalid" };
  if (probed === "confirmed") return { server: "unconfirmed", verified: "active" };
  return { server: "unconfirmed", verified: "unknown", error: probed };
}

/** A 401, alone: of a wrong environment it looks the same as of a token that has ended. */
export const unproven: Outcome = {
  server: "unconfirmed",
  error: new SessionError("unauthorized", "status 401", { status: 401 }),
};

/** Returns whether the answer is a 401. Of a revoke that is an error, see the table of `ask.ts`. */
export const isRefusal = ({ server, error }: Outcome): boolean =>
  server === "already-invalid" || error?.code === "unauthorized";

/** Returns the result as JSON: of an error only the fields that a program branches on. */
export function outcomeJsonOf({ server, error, verified }: Outcome) {
  return { server, ...(error && { error: errorJsonOf(error) }), ...(verified && { verified }) };
}

export function errorJsonOf(error: SessionError) {
  const cause = causeOf(error);
  return {
    code: error.code,
    ...(error.status !== undefined && { status: error.status }),
    ...(cause && { cause }),
  };
}

/** Why there was no connection, as the system calls it: ENOTFOUND, ECONNREFUSED. */
export function causeOf({ cause }: SessionError): string | undefined {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** The same in words, as far as they are known. */
const causes: Record<string, string> = {
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name could not be looked up",
  ECONNREFUSED: "nothing listens at that address",
  ECONNRESET: "the connection was broken off",
  UND_ERR_SOCKET: "the connection was broken off",
  ENETUNREACH: "that network cannot be reached",
  EHOSTUNREACH: "that host cannot be reached",
  ETIMEDOUT: "no answer",
  UND_ERR_CONNECT_TIMEOUT: "no answer",
};

/** Returns an error as a sentence, with the server's message, from which `SessionError` has removed the secrets. */
export function said(error: SessionError): string {
  const cause = causeOf(error);
  const words = cause && (causes[cause] ? `${cause}, ${causes[cause]}` : cause);
  if (words) return `${error.code}: ${words}`;
  const message = error.message.replace(/\b(baseUrl|clientKey)\b/g, (option) => names[option] ?? option);
  // The section of the documentation stays at the end.
  return message.replace(/( \(docs\/[^)]*\))?$/, (section) =>
    error.serverMessage ? `: ${error.serverMessage}${section}` : section,
  );
}
