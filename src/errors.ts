/**
 * The one error of this package, and what may stand in it. Anything that a server, a store or an
 * injected fetch says can quote a token, so it is redacted or left out here before it is carried.
 */

import { fieldsOf } from "./unknown.ts";

/**
 * What went wrong, for code to branch on.
 *
 * Of an ending or a probe: `network` (no answer, or a broken one), `timeout`, `aborted` (by the caller's signal, given up as
 * the oldest of more than 100, or removed from the store), `rate-limited` (429), `server-error` (5xx), `unauthorized`
 * (401 to a revocation; on the command line, a 401 that does not count),
 * `client-key-invalid` (498), `client-key-missing` (499), `rejected` (another 4xx),
 * `unexpected-response` (anything else). Of a data call: `no-session`, `session-ended`,
 * `wrong-origin`. Of the device: `store-failed`. Of the caller: `invalid-option`.
 */
export type SessionErrorCode =
  | "network"
  | "timeout"
  | "aborted"
  | "rate-limited"
  | "server-error"
  | "unauthorized"
  | "client-key-invalid"
  | "client-key-missing"
  | "rejected"
  | "unexpected-response"
  | "no-session"
  | "session-ended"
  | "wrong-origin"
  | "store-failed"
  | "invalid-option";

/** What a {@link SessionError} knows beyond its code. */
export interface SessionErrorDetails {
  /** HTTP status of the answer; 0 for an opaque redirect. */
  status?: number;
  /** Milliseconds the server asked to wait (`Retry-After`, RFC 9110, section 10.2.3). */
  retryAfter?: number;
  /** What the error body says, at most 200 characters, without the credentials of the request. */
  serverMessage?: string;
  /** The name and the code of an error from elsewhere, such as `TypeError` and `ECONNREFUSED`. */
  cause?: unknown;
}

/**
 * Every error of this package. It never holds a token or a client key: of an error that a store or
 * a fetch threw, only the name and the code are kept, as `cause`.
 */
export class SessionError extends Error {
  /** What went wrong, for code to branch on. */
  readonly code: SessionErrorCode;
  override readonly name = "SessionError";
  /** See {@link SessionErrorDetails.status}. */
  declare readonly status?: number;
  /** See {@link SessionErrorDetails.retryAfter}. */
  declare readonly retryAfter?: number;
  /** See {@link SessionErrorDetails.serverMessage}. */
  declare readonly serverMessage?: string;

  constructor(code: SessionErrorCode, words?: string, details?: SessionErrorDetails) {
    const said = words ?? nameOf(details?.cause);
    super(said ? `${code}: ${said}` : code);
    this.code = code;
    Object.assign(this, details);
  }
}

/** An error from elsewhere by its name and its code: `TypeError (ECONNREFUSED)`. */
function nameOf(cause: unknown): string | undefined {
  const { name, code } = fieldsOf(cause);
  if (typeof name !== "string") return undefined;
  return typeof code === "string" ? `${name} (${code})` : name;
}

/** What is kept of an error from elsewhere: never its words. */
export function causeOf(error: unknown): { name: unknown; code: unknown } {
  const { name, code, cause } = fieldsOf(error);
  return { name, code: code ?? fieldsOf(cause)["code"] };
}
