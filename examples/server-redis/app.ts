/**
 * A back end for a front end: the browser has a cookie, and the tokens stay here. Each request gets a session object over
 * the records in Redis, so any process can answer any request.
 */
import { randomBytes } from "node:crypto";
import {
  completedLogin,
  createBindings,
  createSession,
  type Session,
  type SessionOptions,
} from "baanx-session";
import { Hono } from "hono";
import { deleteCookie, setCookie } from "hono/cookie";
import { signedIn, type WithSession, withSession } from "./middleware.ts";
import { forget, type Redis, storeOf, waiting } from "./store.ts";

export interface Settings extends Pick<SessionOptions, "baseUrl" | "clientKey" | "timeout" | "fetch"> {
  /** For the token endpoint, if the provider gave you one; never in a front end. */
  secretKey?: string | undefined;
}

const COOKIE = "session";

/** The used part of the token endpoint's answer. */
interface Renewed {
  access_token: string;
  refresh_token: string;
  expires_in: number;
}

/** Returns the session that a cookie names; without a cookie, an empty one in memory. */
export function sessionOf(
  redis: Redis,
  name: string | undefined,
  { secretKey, ...options }: Settings,
): Session {
  const session = createSession({
    ...options,
    store: name ? storeOf(redis, name) : undefined,
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
      const { access_token, refresh_token, expires_in } = (await response.json()) as Renewed;
      return { accessToken: access_token, refreshToken: refresh_token, expiresIn: expires_in };
    },
  });
  session.subscribe(({ type, error }) => {
    // The session stays, and the next call tries again. The message holds no token.
    if (type === "renew-failed") console.warn(error?.message);
  });
  return session;
}

export function createApp(redis: Redis, settings: Settings): Hono<WithSession> {
  const app = new Hono<WithSession>();
  app.use(withSession(COOKIE, (name) => sessionOf(redis, name, settings)));

  app.post("/login", async (c) => {
    const { email, password } = await c.req.json();
    const { data } = await createBindings(settings).POST("/v1/auth/login", { body: { email, password } });
    const login = completedLogin(data);
    if (!login) return c.json({ error: "You could not be signed in." }, 401);
    // A new name for a new session: a cookie that an attacker set in the browser is worth nothing.
    const name = randomBytes(32).toString("base64url");
    const session = sessionOf(redis, name, settings);
    const { local } = await session.start(login);
    if (local !== "stored") {
      // No other request would find the session: end its token now.
      await session.end();
      return c.json({ error: "You could not be signed in. Try again later." }, 503);
    }
    // The cookie of the session before is replaced, so it could not be ended later.
    await c.var.session.end();
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
    const { server, local, refreshToken } = await c.var.session.end();
    deleteCookie(c, COOKIE, { path: "/" });
    // The user is signed out whatever the server answered; the values are for the operators.
    return c.json({ server, local, refreshToken });
  });

  return app;
}

/**
 * Retries the pending endings of all processes, or hands them over by the `fetch` of the settings. Every process calls it
 * now and then.
 */
export async function flushPending(redis: Redis, settings: Settings): Promise<void> {
  /** Returns whether an ending may be left: one is pending, or the store could not be read or written. */
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
