/**
 * A back end for a front end: the browser has a cookie, and the tokens stay here. A session object is made for each
 * request over what Redis holds, so any process can answer any of them.
 */
import { randomBytes } from "node:crypto";
import {
  completedLogin,
  createBindings,
  createSession,
  memoryStore,
  type Session,
  type SessionOptions,
} from "baanx-session";
import { Hono } from "hono";
import { deleteCookie, setCookie } from "hono/cookie";
import { signedIn, type WithSession, withSession } from "./middleware.ts";
import { forget, type Redis, storeOf, waiting } from "./store.ts";

export interface Settings extends Pick<SessionOptions, "baseUrl" | "clientKey" | "timeout" | "fetch"> {
  /** For the token endpoint, if the provider gave you one. It is known here and in no front end. */
  secretKey?: string | undefined;
}

const COOKIE = "session";

/** The session that a cookie names; without a cookie, one that nobody else can meet. */
export function sessionOf(
  redis: Redis,
  name: string | undefined,
  { secretKey, ...options }: Settings,
): Session {
  return createSession({
    ...options,
    store: name ? storeOf(redis, name) : memoryStore(),
    async renew({ refreshToken }, { signal }) {
      const response = await fetch(`${options.baseUrl}/v1/auth/oauth/token`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-client-key": options.clientKey,
          ...(secretKey && { "x-secret-key": secretKey }),
        },
        body: JSON.stringify({ grant_type: "refresh_token", refresh_token: refreshToken }),
        signal,
      });
      // The refresh token was refused. Any other answer says nothing about it.
      if ([400, 401, 403].includes(response.status)) return null;
      if (!response.ok) throw new Error(`status ${response.status}`);
      const tokens = (await response.json()) as { access_token: string; refresh_token: string };
      return { accessToken: tokens.access_token, refreshToken: tokens.refresh_token };
    },
  });
}

export function createApp(redis: Redis, settings: Settings): Hono<WithSession> {
  const app = new Hono<WithSession>();
  app.use(withSession(COOKIE, (name) => sessionOf(redis, name, settings)));

  app.post("/login", async (c) => {
    const { email, password } = await c.req.json();
    const { data } = await createBindings(settings).POST("/v1/auth/login", { body: { email, password } });
    const login = completedLogin(data);
    if (!login) return c.json({ error: "You could not be signed in." }, 401);
    // A session that was there before would have no cookie any more.
    await c.var.session.end();
    // A new name for a new session: one that was planted in the browser before is worth nothing.
    const name = randomBytes(32).toString("base64url");
    await sessionOf(redis, name, settings).start(login);
    setCookie(c, COOKIE, name, { httpOnly: true, sameSite: "Strict", path: "/", maxAge: 2_592_000 });
    return c.json({ ok: true });
  });

  app.get("/me", signedIn, async (c) => {
    const { response, data } = await c.var.session.client.GET("/v1/user");
    if (response.ok) return c.json(data);
    if (c.var.session.state !== "active") return c.json({ error: "Not signed in." }, 401);
    return c.json({ error: "The API did not answer the question." }, 502);
  });

  app.post("/logout", async (c) => {
    const { server, local } = await c.var.session.end();
    deleteCookie(c, COOKIE, { path: "/" });
    // Whatever the server said, the user is signed out; the rest is for the operators.
    return c.json({ server, local });
  });

  return app;
}

/**
 * Asks again for what any process has left unconfirmed, or hands it over by the `fetch` of the settings. To be called now
 * and then, by every process.
 */
export async function flushPending(redis: Redis, settings: Settings): Promise<void> {
  /** Whether an ending may be left: one is pending, or the store could not be read or written. */
  const mayBeLeft = async (name: string) => {
    const session = sessionOf(redis, name, settings);
    let hasFailed = false;
    session.subscribe(({ type }) => {
      if (type === "store-failed") hasFailed = true;
    });
    await session.flush();
    return hasFailed || session.pending > 0;
  };
  for (const [name, places] of await waiting(redis))
    if (!(await mayBeLeft(name))) await forget(redis, places);
}
