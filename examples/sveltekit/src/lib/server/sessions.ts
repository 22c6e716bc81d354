/** The session of each browser: it has a cookie, and the tokens stay here. */
import { randomBytes } from "node:crypto";
import { completedLogin, createBindings, createSession, memoryStore, type Session } from "baanx-session";
import { env } from "$env/dynamic/private";

const options = () => ({
  baseUrl: env["BAANX_BASE_URL"] ?? "https://dev.api.baanx.com",
  clientKey: env["BAANX_CLIENT_KEY"] ?? "",
});

/**
 * By the cookie's value. They are gone with this process: a back end that is started again, or has several processes,
 * takes `redisStore` or `postgresStore` instead of this map, as `examples/server-redis` does.
 */
const stores = new Map<string, ReturnType<typeof memoryStore>>();

/** A session object for one request. */
export function sessionOf(name: string | undefined): Session {
  const store = (name !== undefined && stores.get(name)) || memoryStore();
  return createSession({ ...options(), store });
}

/** @returns the value of the cookie, or undefined where the login is not complete */
export async function logIn(email: string, password: string): Promise<string | undefined> {
  const { data } = await createBindings(options()).POST("/v1/auth/login", { body: { email, password } });
  const login = completedLogin(data);
  if (!login) return undefined;
  const name = randomBytes(32).toString("base64url");
  stores.set(name, memoryStore());
  await sessionOf(name).start(login);
  return name;
}
