/** The session of the page, and the login. */
import { completedLogin, createBindings, createSession, webStorageStore } from "baanx-session";

const api = { baseUrl: "https://dev.api.baanx.com", clientKey: "your-client-key" };

/**
 * Created at module scope, where it does nothing yet. Only effects and event handlers use it, and a server that renders this
 * page runs neither: it holds no user there.
 */
export const session = createSession({ ...api, store: webStorageStore(() => localStorage) });

/**
 * @returns false if the login was refused or is not complete; `examples/page/log-in.ts` tells these apart
 * @throws Error if the server failed or did not answer
 */
export async function logIn(email: string, password: string): Promise<boolean> {
  const { data, response } = await createBindings(api).POST("/v1/auth/login", { body: { email, password } });
  if (response.status >= 500) throw new Error(`status ${response.status}`);
  // A 200 may be a login that is not complete, even with a token: see `isOtpRequired` and `phase`.
  const login = completedLogin(data);
  if (!login) return false;
  await session.start(login);
  return true;
}
