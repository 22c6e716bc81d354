/** Listeners: called in order, after each change, and harmless to each other. */
import { getEventListeners } from "node:events";
import { expect, it, vi } from "vitest";
import { memoryStore, webStorageStore } from "../src/index.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import { recordsIn, setup } from "./support.ts";

it("a listener is called after the change, with the state as it is by then", async () => {
  const { session, startLogin } = setup();
  const seen: [string, string][] = [];
  session.subscribe(({ type }) => seen.push([type, session.state]));
  await startLogin();
  await session.logout();
  expect(seen).toEqual([
    ["started", "active"],
    ["signed-out", "signed-out"],
    ["settled", "signed-out"],
  ]);
});

it("a listener is told of the end of restoring, also when there is no session", async () => {
  const { session, events } = setup();
  await session.ready();
  expect(events).toEqual([{ type: "signed-out" }]);
});

it("a listener that throws harms neither the others nor the session", async () => {
  const { session, startLogin } = setup();
  const seen: string[] = [];
  session.subscribe(() => {
    throw new Error("a listener's own fault");
  });
  session.subscribe(({ type }) => seen.push(type));
  await startLogin();
  expect(await session.logout()).toMatchObject({ server: "confirmed" });
  expect(seen).toEqual(["started", "signed-out", "settled"]);
});

it("a listener that causes a change sees it after the others have seen the first", async () => {
  const { session, startLogin } = setup();
  const seen: string[] = [];
  session.subscribe(({ type }) => {
    seen.push(`first ${type}`);
    if (type === "started") session.logout();
  });
  session.subscribe(({ type }) => seen.push(`second ${type}`));
  await startLogin();
  await session.logout();
  expect(seen.slice(0, 4)).toEqual([
    "first started",
    "second started",
    "first signed-out",
    "second signed-out",
  ]);
  expect(session.state).toBe("signed-out");
});

it("a session that is started by a listener of its end is kept, in memory and in the store", async () => {
  const store = memoryStore();
  const { provider, session, startLogin } = setup({ store });
  await startLogin();
  const next = provider.login();
  const unsubscribe = session.subscribe(({ type }) => {
    if (type !== "signed-out") return;
    unsubscribe();
    session.start({ ...next, grant: "login" });
  });
  await session.logout();
  expect(session.state).toBe("active");
  const { userId, ...kept } = next;
  expect(await recordsIn(store)).toMatchObject({ live: [{ userId, tokens: kept }], pending: [] });
  expect((await session.client.GET("/v1/user")).response.status).toBe(200);
});

it("a listener that is removed is called no more", async () => {
  const { session, startLogin } = setup();
  let calls = 0;
  const listener = () => {
    calls++;
  };
  const remove = session.subscribe(listener);
  await startLogin();
  expect(calls).toBe(1);
  remove();
  remove();
  await session.logout();
  expect(calls).toBe(1);
});

it("subscribe and state fit useSyncExternalStore, unbound", async () => {
  const { session, provider, probe } = setup();
  const { subscribe, start, logout, end, revoke, ready, flush, fetch } = session;
  let state = session.state;
  subscribe(() => {
    state = session.state;
  });
  await ready();
  const tokens = provider.login();
  await start({ ...tokens, grant: "login" });
  expect(state).toBe("active");
  expect((await fetch("https://dev.api.baanx.com/v1/user")).status).toBe(200);
  expect(await probe(tokens)).toBe("active");
  await Promise.all([logout(), end(), revoke(), flush()]);
  expect(state).toBe("signed-out");
});

it("twenty sessions that are made and closed leave no listener, and end nothing", async () => {
  const target = new EventTarget();
  vi.stubGlobal("navigator", { onLine: true });
  vi.stubGlobal("addEventListener", target.addEventListener.bind(target));
  vi.stubGlobal("removeEventListener", target.removeEventListener.bind(target));
  const items = new Map<string, string>();
  const storage = {
    get length() {
      return items.size;
    },
    key: (index: number) => [...items.keys()][index] ?? null,
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
  const types = ["storage", "pageshow", "visibilitychange", "resume", "online"];
  const listeners = () => types.flatMap((type) => getEventListeners(target, type));
  const provider = createSandboxApp();
  const { accessToken } = provider.login();
  for (let count = 0; count < 20; count++) {
    const { session, events } = setup({ store: webStorageStore(() => storage) }, provider);
    if (count === 0) await session.start({ accessToken, grant: "login" });
    await session.ready();
    expect(session.state).toBe("active");
    expect(listeners().length).toBeGreaterThanOrEqual(6);
    const { length } = events;
    if (count % 2) session.close();
    else session[Symbol.dispose]();
    await session.flush();
    expect(listeners()).toEqual([]);
    expect(events).toHaveLength(length);
  }
  expect(provider.isAlive(accessToken)).toBe(true);
  vi.unstubAllGlobals();
});
