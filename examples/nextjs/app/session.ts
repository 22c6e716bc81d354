/** The session of the page, and the login. Import it in client components only. */
import {
  completedLogin,
  createBindings,
  createSession,
  type SessionTokens,
  webStorageStore,
} from "baanx-session";

const api = {
  baseUrl: process.env.NEXT_PUBLIC_BAANX_BASE_URL ?? "https://dev.api.baanx.com",
  clientKey: process.env.NEXT_PUBLIC_BAANX_CLIENT_KEY ?? "your-client-key",
};

/** At module scope it does nothing yet, and a server that renders this page calls none of its methods: it holds no user there. */
export const session = createSession({
  ...api,
  store: webStorageStore(() => localStorage),
  async renew({ refreshToken }, { signal }): Promise<SessionTokens | null> {
    const body = JSON.stringify({ refreshToken });
    const response = await fetch("/auth/renew", { method: "POST", body, signal });
    if (response.status === 401) return null;
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response.json();
  },
});

/**
 * @returns false if the login was refused or is not complete; `examples/page/log-in.ts` distinguishes these
 * @throws Error if the server failed or did not answer
 */
export async function logIn(email: string, password: string): Promise<boolean> {
  const { data, response } = await createBindings(api).POST("/v1/auth/login", { body: { email, password } });
  if (response.status >= 500) throw new Error(`status ${response.status}`);
  const login = completedLogin(data);
  if (!login) return false;
  await session.start(login);
  return true;
}
