/** The retry policy of jobs: which failure is retried, when, and when a job becomes a dead letter. */
import { SessionError, type SessionErrorCode } from "baanx-session";

/** 6 h in ms: the lifetime of an access token. */
export const LONGEST = 6 * 3_600_000;

/** The highest number of attempts; without one, as many as six hours allow. */
const attempts: Partial<Record<SessionErrorCode, number>> = {
  // The access token is dead, and the refresh token cannot be reached with it: another request changes nothing.
  unauthorized: 1,
  "invalid-option": 1,
  // The server refused it, or a proxy answered: a few more attempts, in case the state passes.
  rejected: 5,
  "unexpected-response": 5,
};

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 300_000;

/** The step after a failure. */
export type Next =
  /** Milliseconds until this job is retried. */
  | { wait: number }
  /** Milliseconds in which no worker sends a request. */
  | { pauseAll: number }
  /** The job becomes a dead letter. */
  | "give-up";

/** The history of a job. */
export interface Past {
  /** Number of times it was begun, including those that ended in a pause. */
  begun: number;
  /** Number of failures, including this one; a pause is not a failure. */
  failed: number;
  /** When the ending was first requested, in ms since the epoch. */
  since: number;
}

export function nextAfter(error: Error, { begun, failed, since }: Past, now = Date.now()): Next {
  const { code, retryAfter }: Partial<SessionError> = error instanceof SessionError ? error : {};
  const left = since + LONGEST - now;
  if (left <= 0 || (code && failed >= (attempts[code] ?? Number.POSITIVE_INFINITY))) return "give-up";
  const backoff = Math.min(FIRST_WAIT * 2 ** Math.min(begun - 1, 20), LONGEST_WAIT);
  // Retry-After is about the load of the server, so it pauses all workers. Other statuses than 429 may have it (RFC 9110,
  // section 10.2.3).
  if (code === "rate-limited" || retryAfter !== undefined)
    return { pauseAll: Math.min(Math.max(retryAfter ?? backoff, FIRST_WAIT), LONGEST) };
  // Half of it is random, so that jobs that failed together do not come back together.
  return { wait: Math.min(backoff * (0.5 + Math.random() / 2), left) };
}
