/** The retry policy of jobs: which failure is retried, when, and when a job becomes a dead letter. */
import { SessionError, type SessionErrorCode } from "baanx-session";

/** 6 h in ms: the lifetime of an access token. */
export const LONGEST = 6 * 3_600_000;

/** So many attempts; where none are named, as many as six hours allow. */
const attempts: Partial<Record<SessionErrorCode, number>> = {
  // The access token is dead and the rest cannot be reached with it: nothing that another request could change.
  unauthorized: 1,
  "invalid-option": 1,
  // The server has understood, or nobody does: worth a few more, in case it was a passing state.
  rejected: 5,
  "unexpected-response": 5,
};

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 300_000;

/** The next step after a failure. */
export type Next =
  /** ms until this job is tried again. */
  | { wait: number }
  /** ms in which no worker asks for anything. */
  | { pauseAll: number }
  /** It becomes a dead letter. */
  | "give-up";

/** What a job has been through. */
export interface Past {
  /** How often it was begun, those that met a pause included. */
  begun: number;
  /** How often it has failed, this time included; a pause is no failure. */
  failed: number;
  /** When the ending was first wanted, in ms since the epoch. */
  since: number;
}

export function nextAfter(error: Error, { begun, failed, since }: Past, now = Date.now()): Next {
  const { code, retryAfter }: Partial<SessionError> = error instanceof SessionError ? error : {};
  const left = since + LONGEST - now;
  if (left <= 0 || (code && failed >= (attempts[code] ?? Number.POSITIVE_INFINITY))) return "give-up";
  const backoff = Math.min(FIRST_WAIT * 2 ** Math.min(begun - 1, 20), LONGEST_WAIT);
  // What the server says of its load is meant for all, and other statuses may say it too (RFC 9110, section 10.2.3).
  if (code === "rate-limited" || retryAfter !== undefined)
    return { pauseAll: Math.min(Math.max(retryAfter ?? backoff, FIRST_WAIT), LONGEST) };
  // Half of it by chance, so that what failed together does not come back together.
  return { wait: Math.min(backoff * (0.5 + Math.random() / 2), left) };
}
