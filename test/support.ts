/** What the session tests share: a session over the reference provider, in process. */
import { vi } from "vitest";
import { createReferenceProvider, type ReferenceProvider } from "../contracts/provider/provider.ts";
import {
  createSession,
  type Renew,
  type SessionEntry,
  type SessionEvent,
  type SessionOptions,
  type TokenStore,
} from "../src/index.ts";

export const BASE_URL = "https://dev.api.baanx.com";
export const LOGOUT = "/v1/auth/logout";
export const REVOKE = "/v1/auth/oauth/revoke";
export const TOKEN = "/v1/auth/oauth/token";

export function setup(options: Partial<SessionOptions> = {}, provider = createReferenceProvider()) {
  const session = createSession({
    baseUrl: BASE_URL,
    clientKey: provider.clientKey,
    fetch: provider.fetch,
    ...options,
  });
  const events: SessionEvent[] = [];
  session.subscribe((event) => events.push(event));
  return { provider, session, events, ...starters(provider, session) };
}

function starters(provider: ReferenceProvider, session: ReturnType<typeof createSession>) {
  return {
    async startLogin(userId = provider.user.id) {
      const tokens = provider.login(userId);
      await session.start({ ...tokens, grant: "login" });
      return tokens;
    },
    async startOAuth(userId = provider.user.id) {
      const { id: _, ...tokens } = provider.authorize(userId);
      await session.start({ ...tokens, grant: "oauth" });
      return tokens;
    },
  };
}

/** Exchanges a refresh token as the application's server would: `null` for one that is refused. */
export const renewAt =
  (provider: ReferenceProvider): Renew =>
  async ({ refreshToken }, { signal }) => {
    const response = await provider.fetch(`${BASE_URL}/v1/auth/oauth/token`, {
      method: "POST",
      headers: {
        "x-client-key": provider.clientKey,
        "x-secret-key": provider.secretKey,
        "content-type": "application/json",
      },
      body: JSON.stringify({ grant_type: "refresh_token", refresh_token: refreshToken }),
      signal,
    });
    if (response.status === 400) return null;
    if (!response.ok) throw new Error(`status ${response.status}`);
    const { access_token, refresh_token } = await response.json();
    return { accessToken: access_token, refreshToken: refresh_token };
  };

/** The requests that ended, or were to end, a session. */
export const endings = (provider: Pick<ReferenceProvider, "requests">): string[] =>
  provider.requests.map(({ path }) => path).filter((path) => path === LOGOUT || path === REVOKE);

/** Timers and the clock; promises stay real. */
export const useFakeTime = () => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });

/** The same store, whose current entry cannot be written while it is so. */
export const readOnly = (store: TokenStore, isSo = () => true): TokenStore => ({
  ...store,
  setCurrent(...args) {
    if (isSo()) throw new Error("read-only");
    return store.setCurrent(...args);
  },
});

/** The same store, with each of its writes told beforehand. */
export function watched(
  store: TokenStore,
  tell: (method: "setCurrent" | "putPending" | "dropPending", entry?: SessionEntry | null) => void,
): TokenStore {
  return {
    read: (create) => store.read(create),
    setCurrent(entry) {
      tell("setCurrent", entry);
      return store.setCurrent(entry);
    },
    putPending(entry) {
      tell("putPending", entry);
      return store.putPending(entry);
    },
    dropPending(id) {
      tell("dropPending");
      return store.dropPending(id);
    },
  };
}
