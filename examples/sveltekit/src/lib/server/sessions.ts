/** The session of each browser: the browser has a cookie, and the tokens stay here. */
import { randomBytes } from "node:crypto";
import { completedLogin, createBindings, createSession, memoryStore, type Session } from "baanx-session";
import { env } from "$env/dynamic/private";

const options = () => ({
  baseUrl: env["BAANX_BASE_URL"] ?? "https://dev.api.baanx.com",
  clientKey: env["BAANX_CLIENT_KEY"] ?? "",
});

/**
 * The stores, by the value of the cookie. They end with this process: a back end that restarts, or has several processes,
 * uses `redisStore` or `postgresStore` instead of this map, as `examples/server-redis` does.
 */
const stores = new Map<string, ReturnType<typeof memoryStore>>();

/** Creates the session object of one request; without a known cookie, an empty one in memory. */
export function sessionOf(name: string | undefined): Session {
  return createSession({ ...options(), store: name === undefined ? undefined : stores.get(name) });
}

/** @returns the value of the cookie, or the status to answer with: 401 for an incomplete login, 503 if it is not stored */
export async function logIn(email: string, password: string): Promise<string | 401 | 503> {
  const { data } = await createBindings(options()).POST("/v1/auth/login", { body: { email, password } });
  const login = completedLogin(data);
  if (!login) return 401;
  const name = randomBytes(32).toString("base64url");
  stores.set(name, memoryStore());
  const session = sessionOf(name);
  const { local } = await session.start(login);
  if (local === "stored") return name;
  // No other request would find the session: end its token now.
  await session.end();
  return 503;
}
