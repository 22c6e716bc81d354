/** Logs the events of a session with pino. An event holds no token; the logged fields are listed all the same. */
import type { SessionEnd as End, Session, SessionError } from "baanx-session";
import type { Logger } from "pino";

/** @returns the function that ends the logging */
export function logEvents(session: Pick<Session, "subscribe" | "pending">, logger: Logger): () => void {
  return session.subscribe(({ type, reason, end, error }) => {
    const { pending } = session;
    const line = { event: type, reason, pending };
    if (type === "store-failed") logger.error({ ...line, ...fieldsOf(error) }, "the session's store failed");
    else if (type === "renew-failed") logger.warn({ ...line, ...fieldsOf(error) }, "a renewal failed");
    else if (end && mayBeAlive(end))
      logger.warn({ ...line, ...outcomeOf(end) }, "a session may not have ended");
    else logger.info({ ...line, ...(end && outcomeOf(end)) }, "session");
  });
}

const mayBeAlive = ({ server, local, refreshToken }: End) =>
  server === "unconfirmed" || server === "expired" || local === "failed" || refreshToken !== undefined;

const outcomeOf = ({ endpoint, server, local, refreshToken, error, storeError }: End) => ({
  endpoint,
  server,
  local,
  refreshToken,
  ...fieldsOf(error),
  storeError: storeError?.message,
});

const fieldsOf = (error: SessionError | undefined) =>
  error && { code: error.code, status: error.status, retryAfter: error.retryAfter, message: error.message };
