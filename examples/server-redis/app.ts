/**
 * A back end for a front end: the browser has a cookie, and the tokens stay here. Each request gets a session object over
 * the records in Redis, so any process can answer any request.
 */
import { randomBytes } from "node:crypto";
import { createSession, type Session, type SessionEnd, type SessionOptions } from "baanx-session";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { deleteCookie, setCookie } from "hono/cookie";
import { csrf } from "hono/csrf";
import pLimit from "p-limit";
import { createExchange } from "../oauth/server.ts";
import { type Credentials, type LogInResult, logIn } from "../page/log-in.ts";
import { signedIn, type WithSession, withSession } from "./middleware.ts";
import { disappeared, forget, LIFETIME, type Place, type Redis, storeOf, waiting } from "./store.ts";

export interface Settings extends Pick<SessionOptions, "baseUrl" | "clientKey" | "timeout" | "fetch"> {
  /** For the token endpoint, if the provider gave you one; never in a front end. */
  secretKey?: string | undefined;
  /** The origin that browsers see, such as `https://app.example`. Default: the origin of the request. */
  origin?: string | undefined;
}

/** No body of a request is longer, in bytes. */
const LONGEST_BODY = 10_000;
/** Concurrent endings of one sweep. */
const SWEEPERS = 8;
/** Sessions in memory that only this process can end. */
const MOST_UNFINISHED = 10_000;

/** The answers to a login that is not complete. */
const statuses = {
  "code-sent": 202,
  "code-refused": 401,
  refused: 401,
  locked: 403,
  disabled: 403,
  "registration-incomplete": 403,
  "rate-limited": 429,
  unavailable: 503,
} as const satisfies Record<Exclude<LogInResult["outcome"], "signed-in">, number>;

/** Returns the session that a cookie names; without a cookie, an empty one in memory. */
export function sessionOf(
  redis: Redis,
  name: string | undefined,
  { secretKey, origin: _, ...options }: Settings,
): Session {
  const exchange = createExchange({ ...options, ...(secretKey && { secretKey }) });
  const session = createSession({
    ...options,
    store: name ? storeOf(redis, name) : undefined,
    async renew({ refreshToken }) {
      const result = await exchange({ grant_type: "refresh_token", refresh_token: refreshToken ?? "" });
      if (result === "unknown") throw new Error("nothing is known about the refresh token");
      return result === "refused" ? null : result;
    },
  });
  session.subscribe(({ type, error }) => {
    // The session stays, and the next call tries again. The message holds no token.
    if (type === "renew-failed") console.warn(error?.message);
  });
  return session;
}

/** @param unfinished - gets the sessions whose ending Redis may not hold; give it to `flushPending` of this process, too */
export function createApp(
  redis: Redis,
  settings: Settings,
  unfinished = new Set<Session>(),
): Hono<WithSession> {
  const isSecure = settings.origin?.startsWith("https:") === true;
  // The prefix keeps other hosts of the domain from setting the cookie.
  const cookie = isSecure ? "__Host-session" : "session";
  const flags = { httpOnly: true, sameSite: "Strict", path: "/", secure: isSecure } as const;
  const app = new Hono<WithSession>();
  app.use(csrf(settings.origin === undefined ? {} : { origin: settings.origin }));
  app.use(bodyLimit({ maxSize: LONGEST_BODY }));
  app.use(async (c, next) => {
    await next();
    c.header("cache-control", "no-store");
  });
  app.use(withSession(cookie, (name) => sessionOf(redis, name, settings)));

  async function end(session: Session): Promise<SessionEnd> {
    const result = await session.end();
    if (result.local !== "failed") return result;
    if (unfinished.size < MOST_UNFINISHED) unfinished.add(session);
    else console.error("too many endings that Redis does not hold: a token may stay alive");
    return result;
  }

  app.post("/login", async (c) => {
    const credentials = credentialsOf(await c.req.json().catch(() => undefined));
    if (!credentials)
      return c.json({ error: "Send email, password and, if asked for, otpCode as JSON." }, 400);
    // A new name for a new session: a cookie that an attacker set in the browser is worth nothing.
    const name = randomBytes(32).toString("base64url");
    const session = sessionOf(redis, name, settings);
    const result = await logIn(settings, session, credentials);
    if (result.outcome !== "signed-in") return c.json(result, statuses[result.outcome]);
    if (result.local !== "stored") {
      // No other request would find the session: end its token now.
      await end(session);
      return c.json({ outcome: "unavailable" }, 503);
    }
    // The cookie of the session before is replaced, so it could not be ended later.
    await end(c.var.session);
    setCookie(c, cookie, name, { ...flags, maxAge: LIFETIME });
    return c.json({ outcome: "signed-in" });
  });

  app.get("/me", signedIn, async (c) => {
    const { session } = c.var;
    const signal = AbortSignal.timeout(settings.timeout ?? 5_000);
    const answer = await session.client.GET("/v1/user", { signal }).catch(() => undefined);
    if (answer?.response.ok) return c.json(answer.data);
    if (session.state !== "active") return c.json({ error: "Not signed in." }, 401);
    return c.json({ error: "The API did not answer the question." }, 502);
  });

  app.post("/logout", async (c) => {
    const { server, local, refreshToken } = await end(c.var.session);
    deleteCookie(c, cookie, flags);
    // The user is signed out whatever the server answered; the values are for the operators.
    return c.json({ server, local, refreshToken });
  });

  return app;
}

function credentialsOf(body: unknown): Credentials | undefined {
  const { email, password, otpCode }: Record<string, unknown> = Object(body);
  if (typeof email !== "string" || typeof password !== "string") return undefined;
  if (otpCode === undefined) return { email, password };
  return typeof otpCode === "string" ? { email, password, otpCode } : undefined;
}

/** Retries the pending endings of a session, and returns whether one may be left: the store may have failed. */
async function mayBeLeft(session: Session): Promise<boolean> {
  let hasFailed = false;
  const unsubscribe = session.subscribe(({ type }) => {
    if (type === "store-failed") hasFailed = true;
  });
  await session.flush();
  unsubscribe();
  return hasFailed || session.pending > 0;
}

/**
 * Retries the pending endings of all processes. Every process calls it now and then.
 *
 * @returns the keys of the endings that disappeared from Redis: their tokens may be alive, and nothing retries them
 */
export async function flushPending(
  redis: Redis,
  settings: Settings,
  unfinished = new Set<Session>(),
): Promise<string[]> {
  const lost = new Set<string>();

  async function flush(name: string, places: Place[]): Promise<void> {
    const gone = await disappeared(redis, name, places);
    for (const { key } of gone) lost.add(key);
    const isLeft = gone.length < places.length && (await mayBeLeft(sessionOf(redis, name, settings)));
    // Each write of an ending adds an entry, of which one is enough. All processes keep the same one.
    const spare = places.filter(({ key }, index) => places.findIndex((place) => place.key === key) < index);
    const done = isLeft ? [...gone, ...spare] : places;
    if (done.length > 0) await forget(redis, done);
  }

  const limit = pLimit(SWEEPERS);
  // First: these do not need Redis.
  await limit.map(unfinished, async (session) => {
    if (!(await mayBeLeft(session))) unfinished.delete(session);
  });
  // An entry that cannot be read stays on the list, and keeps no other from being retried.
  await limit.map(await waiting(redis), ([name, places]) => flush(name, places).catch(() => {}));
  return [...lost];
}
