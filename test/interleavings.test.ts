/** Calls between the steps of others that the explorer does not play: data calls, callers that join late, deadlines. */
import { describe, expect, it, vi } from "vitest";
import { memoryStore } from "../src/index.ts";
import { serialize } from "../src/record.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import { BASE_URL, recordOf, type StoreCall, setup, storeDouble, useFakeTime, within } from "./support.ts";

const USER = `${BASE_URL}/v1/user`;
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Returns the same store with one slow method. */
const slowAt = (method: StoreCall["method"], ms: number, store = memoryStore()) =>
  storeDouble((call) => (call.method === method ? wait(ms) : undefined), store);

/** Returns a store that holds the session of a user who is logged in. */
async function stored(provider = createSandboxApp(), store = memoryStore()) {
  const { session } = setup({ store }, provider);
  const tokens = provider.login();
  await session.start({ ...tokens, grant: "login" });
  return { provider, store, ...tokens };
}

describe("a listener that calls back", () => {
  it("reads the store once, although the call comes during the read", async () => {
    const { provider, store } = await stored();
    const read = vi.spyOn(store, "read");
    const { session, events } = setup({ store }, provider);
    const calls: Promise<unknown>[] = [];
    session.subscribe(({ type }) => {
      if (type === "started") calls.push(session.client.GET("/v1/user"));
    });
    await session.ready();
    await Promise.all(calls);
    expect(read).toHaveBeenCalledTimes(1);
    expect(session.pending).toBe(0);
    expect(events).toEqual([{ type: "started" }]);
  });
});

describe("a data call that waits for the store", () => {
  it.each(["logout", "start"] as const)(
    "never takes the token of a session that %s() changed in the meantime",
    async (call) => {
      useFakeTime();
      const { provider, store } = await stored();
      const { length } = provider.requests;
      const { session } = setup({ store: slowAt("read", 100, store) }, provider);
      const asked = session.fetch(USER, { method: "POST" }).catch((error: unknown) => error);
      if (call === "logout") session.logout();
      session.start({ ...provider.login(), grant: "login" });
      await vi.advanceTimersByTimeAsync(200);
      expect(await asked).toMatchObject({ code: "session-ended" });
      expect(provider.requests.slice(length).map(({ path }) => path)).not.toContain("/v1/user");
    },
  );
});

describe("a caller with an aborted signal", () => {
  it("returns alone and at once while the store is being read", async () => {
    useFakeTime();
    const { provider, store, accessToken } = await stored();
    const { session } = setup({ store: slowAt("read", 1_000, store) }, provider);
    const caller = new AbortController();
    const left = session.logout({ signal: caller.signal });
    const stayed = session.logout();
    caller.abort();
    expect(await left).toMatchObject({ server: "unconfirmed", error: { code: "aborted" } });
    // Each ending reads the store after it was called.
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await stayed).toMatchObject({ server: "confirmed" });
    expect(provider.isAlive(accessToken)).toBe(false);
  });
});

it("shares an ending until the store has settled", async () => {
  useFakeTime();
  const { session, startLogin } = setup({ store: slowAt("write", 100) });
  await within(100, startLogin());
  const first = session.logout();
  await vi.advanceTimersByTimeAsync(40);
  const second = session.logout();
  await vi.advanceTimersByTimeAsync(200);
  expect(await second).toEqual(await first);
  expect(await second).toMatchObject({ server: "confirmed", local: "cleared" });
});

describe("the deadline of a caller", () => {
  it("holds for a caller that joins a request with a later one", async () => {
    useFakeTime();
    const provider = createSandboxApp();
    const { store } = await stored(provider);
    provider.misbehave({ status: 403, times: 1 });
    await setup({ store }, provider).session.logout();
    provider.misbehave({ delay: "forever" });
    const { session } = setup({ store: slowAt("read", 300, store), timeout: 400 }, provider);
    session.ready();
    const begun = Date.now();
    expect(await within(400, session.logout())).toMatchObject({
      server: "unconfirmed",
      error: { code: "timeout" },
    });
    expect(Date.now() - begun).toBe(400);
    await vi.advanceTimersByTimeAsync(400);
  });

  it("does not stop the ending of a session that a late read finds", async () => {
    useFakeTime();
    const { provider, store, accessToken } = await stored();
    const { session } = setup({ store: slowAt("read", 200, store), timeout: 100 }, provider);
    expect(await within(100, session.logout())).toMatchObject({
      server: "unconfirmed",
      local: "failed",
      storeError: { code: "store-failed" },
    });
    provider.misbehave({ delay: 50 });
    await vi.advanceTimersByTimeAsync(200);
    expect(provider.isAlive(accessToken)).toBe(false);
    expect(session.pending).toBe(0);
  });
});

it("reports unconfirmed from logout() while another process is sending one of several endings", async () => {
  useFakeTime();
  const store = memoryStore();
  const { provider, session } = setup({ store });
  for (const [id, until] of [
    ["other", 0],
    ["busy", Date.now() + 1_000],
  ] as const) {
    const ending = { endpoint: "logout", since: Date.now(), attempt: 1, until };
    const { accessToken } = provider.login();
    store.write(`ended.${id}`, serialize(recordOf({ id, tokens: { accessToken }, ending })));
  }
  expect(await session.logout()).toMatchObject({
    server: "unconfirmed",
    local: "pending",
    error: { code: "elsewhere" },
  });
  expect(session.pending).toBe(1);
});

it("bounds the work of reading an error body", async () => {
  const { provider, session, startLogin } = setup();
  await startLogin();
  provider.misbehave({ status: 403, body: "<".repeat(65_536) });
  // The work grows with the square of the length: the whole body would take seconds.
  const replace = vi.spyOn(String.prototype, "replace");
  await session.logout();
  const longest = Math.max(...replace.mock.contexts.map((text) => String(text).length));
  replace.mockRestore();
  expect(longest).toBeLessThanOrEqual(2_000);
});

it("reads an answer in a runtime without body streams", async () => {
  const provider = createSandboxApp();
  const fetch: typeof globalThis.fetch = async (input, init) =>
    Object.defineProperty(await provider.fetch(input, init), "body", { value: undefined });
  const { session, startLogin } = setup({ fetch }, provider);
  await startLogin();
  provider.misbehave({ path: "/v1/user", status: 500, body: "all of it" });
  expect(await (await session.fetch(USER)).text()).toBe("all of it");
  expect(await session.logout()).toMatchObject({ server: "confirmed" });
});
