/** Middleware of Hono: gives each request the session that its cookie names, as `c.var.session`. */
import type { Session } from "baanx-session";
import { getCookie } from "hono/cookie";
import { createMiddleware } from "hono/factory";

export interface WithSession {
  Variables: { session: Session };
}

/** @param sessionOf - makes the session object of this one request */
export const withSession = (cookie: string, sessionOf: (name: string | undefined) => Session) =>
  createMiddleware<WithSession>(async (c, next) => {
    c.set("session", sessionOf(getCookie(c, cookie)));
    await next();
  });

/** Answers 401 where nobody is signed in. */
export const signedIn = createMiddleware<WithSession>(async (c, next) => {
  const { session } = c.var;
  await session.ready();
  if (session.state !== "active") return c.json({ error: "Not signed in." }, 401);
  return next();
});
