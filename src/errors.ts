/**
 * The one error of this package. Anything that a server, a store or an injected fetch says can quote a token, so it is
 * redacted or left out before it gets here.
 */
import { fieldsOf } from "./json.ts";

/**
 * Says what went wrong, for code to branch on.
 *
 * - An ending or a probe: `network` (no answer, or a broken one), `timeout`, `aborted` (by the caller's signal),
 *   `elsewhere` (another tab or process ended the session without a confirmation, or may be sending it), `rate-limited` (429), `server-error`
 *   (5xx), `unauthorized` (a 401 that proves nothing), `client-key-invalid` (498), `client-key-missing` (499), `rejected`
 *   (another 4xx), `unexpected-response` (anything else).
 * - A data call: `no-session`, `session-ended`, `wrong-origin`, `fenced-path`.
 * - The device: `store-failed`. The caller: `invalid-option`.
 */
export type SessionErrorCode =
  | "network"
  | "timeout"
  | "aborted"
  | "elsewhere"
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
  | "fenced-path"
  | "store-failed"
  | "invalid-option";

/** The details of a {@link SessionError} beyond its code. */
export interface SessionErrorDetails {
  /** HTTP status of the answer; 0 for an opaque redirect. */
  status?: number;
  /** Milliseconds the server asked to wait (`Retry-After`, RFC 9110, section 10.2.3). */
  retryAfter?: number;
  /** The message of the error body, at most 200 characters, without the credentials of the request. */
  serverMessage?: string;
  /** The name and the code of an error from elsewhere, such as `TypeError` and `ECONNREFUSED`. */
  cause?: unknown;
}

/**
 * Every error of this package. It never holds a token or a client key: of an error that a store or a fetch threw, only
 * the name and the code are kept, as `cause`. Its message names the problem and the fix, and the section of
 * `docs/results-and-errors.md` for its code.
 */
export class SessionError extends Error {
  /** Says what went wrong, for code to branch on. */
  readonly code: SessionErrorCode;
  override readonly name = "SessionError";
  /** See {@link SessionErrorDetails.status}. */
  declare readonly status?: number;
  /** See {@link SessionErrorDetails.retryAfter}. */
  declare readonly retryAfter?: number;
  /** See {@link SessionErrorDetails.serverMessage}. */
  declare readonly serverMessage?: string;

  constructor(code: SessionErrorCode, message?: string, details?: SessionErrorDetails) {
    const parts = [message, nameOf(details?.cause)].filter(Boolean).join(": ");
    super(`${code}${parts && `: ${parts}`} (docs/results-and-errors.md#${code})`);
    this.code = code;
    Object.assign(this, details);
  }
}

/** Returns the name and the code of an error from elsewhere: `TypeError (ECONNREFUSED)`. */
function nameOf(cause: unknown): string | undefined {
  const { name, code } = fieldsOf(cause);
  if (typeof name !== "string") return undefined;
  return typeof code === "string" ? `${name} (${code})` : name;
}

/** Returns the parts of an error from elsewhere that are kept: never its message. */
export function causeOf(error: unknown): { name: unknown; code: unknown } {
  const { name, code, cause } = fieldsOf(error);
  return { name, code: code ?? fieldsOf(cause)["code"] };
}
