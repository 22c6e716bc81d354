/** What a session tells, as lines of pino. An event holds no token; which fields are logged is said here all the same. */
import type { Session, SessionError } from "baanx-session";
import type { Logger } from "pino";

/** @returns what ends the logging */
export function logEvents(session: Pick<Session, "subscribe" | "pending">, logger: Logger): () => void {
  return session.subscribe(({ type, reason, end, error }) => {
    const { pending } = session;
    const line = { event: type, reason, pending };
    if (type === "store-failed") logger.error({ ...line, ...fieldsOf(error) }, "the session's store failed");
    else if (end?.server === "unconfirmed" || end?.local === "failed")
      logger.warn({ ...line, ...outcomeOf(end) }, "a session may not have ended");
    else logger.info({ ...line, ...(end && outcomeOf(end)) }, "session");
  });
}

const outcomeOf = ({ endpoint, server, local, error, storeError }: End) => ({
  endpoint,
  server,
  local,
  ...fieldsOf(error),
  storeError: storeError?.message,
});

type End = NonNullable<Parameters<Parameters<Session["subscribe"]>[0]>[0]["end"]>;

const fieldsOf = (error: SessionError | undefined) =>
  error && { code: error.code, status: error.status, retryAfter: error.retryAfter, message: error.message };
