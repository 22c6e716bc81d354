/** Fixtures of the session tests: a session over the sandbox, in process. */
import { onTestFinished, vi } from "vitest";
import {
  createSession,
  memoryStore,
  type ProbeTarget,
  probe,
  type Renew,
  type SessionEvent,
  type SessionOptions,
  type SessionTokens,
  type TokenStore,
} from "../src/index.ts";
import { isLive, isPending, keyOf, type SessionRecord, serialize } from "../src/record.ts";
import { createSandboxApp, type SandboxApp } from "../src/sandbox/sandbox.ts";
import { type RunningServer, type Served, startServer } from "../src/sandbox/server.ts";

export const BASE_URL = "https://dev.api.baanx.com";
export const LOGOUT = "/v1/auth/logout";
export const REVOKE = "/v1/auth/oauth/revoke";
export const TOKEN = "/v1/auth/oauth/token";

export function setup(options: Partial<SessionOptions> = {}, provider = createSandboxApp()) {
  const all = { baseUrl: BASE_URL, clientKey: provider.clientKey, fetch: provider.fetch, ...options };
  const session = createSession(all);
  const events: SessionEvent[] = [];
  session.subscribe((event) => events.push(event));
  return {
    ...{ provider, session, events, probe: (target: ProbeTarget) => probe(all, target) },
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

/** Opens a session over an existing store, as after a reload of the page, and restores it. */
export async function reopen(...args: Parameters<typeof setup>) {
  const world = setup(...args);
  await world.session.ready();
  return world;
}

/** Exchanges a refresh token like the application's own server, which has the secret key. */
export const exchangeAt = (
  provider: SandboxApp,
  refreshToken: string | undefined,
  init: RequestInit = {},
): Promise<Response> =>
  provider.fetch(`${BASE_URL}/v1/auth/oauth/token`, {
    method: "POST",
    headers: {
      "x-client-key": provider.clientKey,
      "x-secret-key": provider.secretKey,
      "content-type": "application/json",
    },
    body: JSON.stringify({ grant_type: "refresh_token", refresh_token: refreshToken }),
    ...init,
  });

/** Works as `renew`: resolves to `null` for a refused refresh token. */
export const renewAt =
  (provider: SandboxApp): Renew =>
  async ({ refreshToken }, { signal }) => {
    const response = await exchangeAt(provider, refreshToken, { signal });
    if (response.status === 400) return null;
    if (!response.ok) throw new Error(`status ${response.status}`);
    const { access_token, refresh_token } = await response.json();
    return { accessToken: access_token, refreshToken: refresh_token };
  };

/** Starts an OAuth session over a store, whose access token has expired. By default the sandbox renews it. */
export async function expired({ renew, ...options }: Parameters<typeof setup>[0] = {}) {
  const provider = createSandboxApp();
  const store = memoryStore();
  const world = setup({ renew: renew ?? renewAt(provider), store, ...options }, provider);
  const tokens = await world.startOAuth();
  provider.expire(tokens.accessToken);
  return { ...world, store, tokens };
}

/** Returns the requests that were sent to end a session. */
export const endings = (provider: Pick<SandboxApp, "requests">): string[] =>
  provider.requests.map(({ path }) => path).filter((path) => path === LOGOUT || path === REVOKE);

/** Fakes timers and the clock until the test ends; promises stay real. */
export function useFakeTime() {
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"] });
}

/** Lets so many milliseconds pass, and resolves to the result of a call that settles within them. */
export async function within<T>(ms: number, call: T | PromiseLike<T>): Promise<T> {
  await vi.advanceTimersByTimeAsync(ms);
  return call;
}

/** Replaces globals until the test ends. */
export function stubGlobals(values: Record<string, unknown>) {
  onTestFinished(() => void vi.unstubAllGlobals());
  for (const [name, value] of Object.entries(values)) vi.stubGlobal(name, value);
}

/** Gives the test the events of a page. Returns their target. */
export function stubPage() {
  const target = new EventTarget();
  stubGlobals({
    addEventListener: target.addEventListener.bind(target),
    removeEventListener: target.removeEventListener.bind(target),
  });
  return target;
}

/** Starts a server, which ends with its test. */
export async function serve(app: Served): Promise<RunningServer> {
  const server = await startServer(app);
  onTestFinished(server.close);
  return server;
}

/** Returns a promise and its resolver. */
export function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Returns the one element of a list. */
export function only<T>(list: readonly T[]): T {
  const [one] = list;
  if (one === undefined || list.length > 1) throw new Error(`There are ${list.length} elements.`);
  return one;
}

/** Returns a `Storage` like a browser's, over these items. Each change goes through `write`. */
export const storageOf = (
  items = new Map<string, string>(),
  write = (_key: string | null, change: () => void) => change(),
): Storage => ({
  get length() {
    return items.size;
  },
  key: (index) => [...items.keys()][index] ?? null,
  getItem: (key) => items.get(key) ?? null,
  setItem: (key, value) => write(key, () => items.set(key, value)),
  removeItem: (key) => write(key, () => items.delete(key)),
  clear: () => write(null, () => items.clear()),
});

/** Returns the record of a live session with these fields, which may be invalid. */
export const recordOf = (over: object = {}): SessionRecord & { tokens: SessionTokens } => ({
  v: 1,
  id: "one",
  origin: BASE_URL,
  region: "international",
  grant: "login",
  startedAt: Date.now(),
  generation: 0,
  hasRefreshToken: false,
  tokens: { accessToken: "example-access-token" },
  ...over,
});

/** Writes a record under its key, as another tab or process does. */
export const put = (store: TokenStore, record: SessionRecord) =>
  store.write(keyOf(record), serialize(record));

/** Never settles. */
export const never = () => new Promise<never>(() => {});

/** One call to a store. */
export interface StoreCall {
  method: "read" | "write" | "remove";
  key: string;
  text: string;
}

/**
 * The only double of a store. It calls `before` ahead of each call, which may throw, or return a promise that delays the
 * call.
 */
export function storeDouble(
  before: (call: StoreCall) => unknown,
  store: TokenStore = memoryStore(),
): TokenStore {
  const call = <T>(
    method: StoreCall["method"],
    key: string,
    text: string,
    run: () => T | PromiseLike<T>,
  ): T | PromiseLike<T> => {
    const held = before({ method, key, text });
    return held instanceof Promise ? held.then(run) : run();
  };
  return {
    ...store,
    read: () => call("read", "", "", store.read),
    write: (key, text) => call("write", key, text, () => store.write(key, text)),
    remove: (key) => call("remove", key, "", () => store.remove(key)),
  };
}

/** Parses strings as records: live ones, pending ones and tombstones. */
export function recordsOf(texts: Record<string, string>) {
  const all: SessionRecord[] = Object.values(texts).map((text) => JSON.parse(text));
  return {
    live: all.filter(isLive),
    pending: all.filter(isPending),
    over: all.filter(({ tokens }) => !tokens),
  };
}

/** Returns the records in a store. */
export const recordsIn = async (store: TokenStore) => recordsOf(await store.read());
