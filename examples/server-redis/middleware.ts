/** Middleware of Hono: gives each request the session that its cookie names, as `c.var.session`. */
import type { Session } from "baanx-session";
import { getCookie } from "hono/cookie";
import { createMiddleware } from "hono/factory";

export interface WithSession {
  Variables: { session: Session };
}

/** @param sessionOf - creates the session object of this one request */
export const withSession = (cookie: string, sessionOf: (name: string | undefined) => Session) =>
  createMiddleware<WithSession>(async (c, next) => {
    c.set("session", sessionOf(getCookie(c, cookie)));
    await next();
  });

/** Answers 401 without a session, and 503 if the store could not tell. */
export const signedIn = createMiddleware<WithSession>(async (c, next) => {
  const { session } = c.var;
  let hasFailed = false;
  session.subscribe(({ type }) => {
    if (type === "store-failed") hasFailed = true;
  });
  await session.ready();
  if (session.state === "active") return next();
  return hasFailed ? c.json({ error: "Try again later." }, 503) : c.json({ error: "Not signed in." }, 401);
});
