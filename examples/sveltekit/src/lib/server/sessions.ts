/** The session of each browser: the browser has a cookie, and the tokens stay here. */
import { randomBytes } from "node:crypto";
import { completedLogin, createBindings, createSession, memoryStore, type Session } from "baanx-session";
import { env } from "$env/dynamic/private";

const options = () => ({
  baseUrl: env["BAANX_BASE_URL"] ?? "https://dev.api.baanx.com",
  clientKey: env["BAANX_CLIENT_KEY"] ?? "",
});

/** One day in ms, longer than the token of a login lives. */
const LIFETIME = 86_400_000;
/** No more sessions are kept: the oldest one ends. */
const MOST = Number(env["MOST_SESSIONS"] ?? 10_000);

/**
 * The stores, by the value of the cookie, the oldest first. They end with this process: a back end that restarts, or has
 * several processes, uses `redisStore` or `postgresStore` instead of this map, as `examples/server-redis` does.
 */
const stores = new Map<string, { store: ReturnType<typeof memoryStore>; since: number }>();

/** Creates the session object of one request; without a known cookie, an empty one in memory. */
export function sessionOf(name: string | undefined): Session {
  return createSession({ ...options(), store: name === undefined ? undefined : stores.get(name)?.store });
}

/** Retries pending endings, ends the sessions that are too old or too many, and forgets ended ones. */
async function sweep(): Promise<void> {
  for (const [name, { since }] of stores) {
    const session = sessionOf(name);
    const isExcess = stores.size > MOST || since + LIFETIME < Date.now();
    await (isExcess ? session.end() : session.flush());
    if (session.state !== "active" && session.pending === 0) stores.delete(name);
  }
}
setInterval(sweep, 60_000).unref();

/** @returns the value of the cookie, or the status to answer with: 401 for an incomplete login, 503 if the API did not answer or it is not stored */
export async function logIn(email: string, password: string): Promise<string | 401 | 503> {
  const body = { email, password };
  const answer = await createBindings(options())
    .POST("/v1/auth/login", { body })
    .catch(() => undefined);
  // No answer, or one that says nothing about the credentials.
  if (!answer || answer.response.status >= 500) return 503;
  const login = completedLogin(answer.data);
  if (!login) return 401;
  const name = randomBytes(32).toString("base64url");
  stores.set(name, { store: memoryStore(), since: Date.now() });
  if (stores.size > MOST) void sweep();
  const session = sessionOf(name);
  const { local } = await session.start(login);
  if (local === "stored") return name;
  // No other request would find the session: end its token now.
  await session.end();
  return 503;
}
