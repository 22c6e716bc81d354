/** Listeners: called in order, after each change, and isolated from each other. */
import { getEventListeners } from "node:events";
import { expect, it, vi } from "vitest";
import { memoryStore, webStorageStore } from "../src/index.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import { recordsIn, setup, storageOf, stubGlobals, stubPage } from "./support.ts";

it("calls a listener after the change, with the new state", async () => {
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

it("calls a listener after restoring, also without a session", async () => {
  const { session, events } = setup();
  await session.ready();
  expect(events).toEqual([{ type: "signed-out" }]);
});

it("reports a listener that throws or rejects, and isolates the others and the session from it", async () => {
  const reportError = vi.fn();
  stubGlobals({ reportError });
  const { session, startLogin } = setup();
  const seen: string[] = [];
  session.subscribe(() => {
    throw new Error("a listener's own fault");
  });
  session.subscribe(() => Promise.reject(new Error("rejected")));
  session.subscribe(({ type }) => seen.push(type));
  await startLogin();
  expect(session.state).toBe("active");
  expect(await session.logout()).toMatchObject({ server: "confirmed" });
  expect(seen).toEqual(["started", "signed-out", "settled"]);
  await vi.waitFor(() => expect(reportError).toHaveBeenCalledTimes(3 * 2));
});

it("delivers a listener's own change after the others have received the first", async () => {
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

it("keeps a session that a listener starts at the end of the previous one", async () => {
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

it("calls a listener that is subscribed twice once after one unsubscribe, and a removed one no more", async () => {
  const { session, startLogin } = setup();
  const listener = vi.fn();
  const [first, second] = [session.subscribe(listener), session.subscribe(listener)];
  await startLogin();
  expect(listener).toHaveBeenCalledTimes(2);
  first();
  first();
  await session.logout();
  expect(listener).toHaveBeenCalledTimes(2 + 2);
  second();
  await startLogin();
  expect(listener).toHaveBeenCalledTimes(2 + 2);
});

it("supports useSyncExternalStore with unbound subscribe and state", async () => {
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

it("leaves no listener and ends nothing after closing twenty sessions", async () => {
  const target = stubPage();
  stubGlobals({ navigator: { onLine: true } });
  const storage = storageOf();
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
});
