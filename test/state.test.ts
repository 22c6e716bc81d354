/** The state of one session object: the shown session, the scope of an ending, and late or cleared stores. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { memoryStore } from "../src/index.ts";
import { LIFETIME_MS } from "../src/ledger.ts";
import type { SessionRecord } from "../src/record.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import { DOCUMENTED } from "../src/store.ts";
import {
  endings,
  LOGOUT,
  never,
  put,
  recordOf,
  recordsIn,
  setup,
  storeDouble,
  useFakeTime,
} from "./support.ts";

beforeEach(() => void useFakeTime());

/** Writes the record of a login that another process has started. */
async function storedBy(provider = createSandboxApp(), patch: Partial<SessionRecord> = {}) {
  const store = memoryStore();
  const { accessToken } = provider.login();
  const record: SessionRecord = recordOf({ id: "stored", tokens: { accessToken }, ...patch });
  await put(store, record);
  return { store, record, isAlive: () => provider.isAlive(record.tokens?.accessToken ?? "") };
}

describe("start() over a session of the same user", () => {
  it("emits no signed-out, and aborts the calls of the session before", async () => {
    const { session, events, provider } = setup({ store: memoryStore() });
    await session.start({ ...provider.login(), userId: "u", grant: "login" });
    provider.misbehave({ path: "/v1/user", delay: 1_000 });
    const call = session.fetch("/v1/user");
    const aborted = expect(call).rejects.toThrow("another session was started");
    await session.start({ ...provider.login(), userId: "u", grant: "login" });
    await aborted;
    expect(events.map(({ type }) => type).filter((type) => type !== "settled")).toEqual([
      "started",
      "started",
    ]);
  });
});

it("aborts a call at an ending, and says that the request may have run", async () => {
  const { session, provider, startLogin } = setup();
  await startLogin();
  provider.misbehave({ path: "/v1/user", delay: 1_000 });
  const aborted = expect(session.fetch("/v1/user")).rejects.toThrow(/may have run on the server/);
  await session.end();
  await aborted;
});

describe("end() of an object that has shown no session", () => {
  it.each([
    ["of an earlier millisecond", -1],
    ["of the same millisecond", 0],
    ["of a clock that is ahead", 3_600_000],
  ])("ends a stored session %s", async (_, ahead) => {
    const provider = createSandboxApp();
    const { store, isAlive } = await storedBy(provider, { startedAt: Date.now() + ahead });
    // It answers in a later tick.
    const { session } = setup({ store: { ...store, read: async () => store.read() } }, provider);
    expect(await session.end()).toMatchObject({ server: "confirmed", local: "cleared" });
    expect(isAlive()).toBe(false);
    expect(session.state).toBe("signed-out");
  });

  it("spares a session that another process starts after the call, before the read", async () => {
    const provider = createSandboxApp();
    const memory = memoryStore();
    let read = () => {};
    const reading = new Promise<void>((resolve) => {
      read = resolve;
    });
    const store = storeDouble(({ method }) => (method === "read" ? reading : undefined), memory);
    const { session } = setup({ store }, provider);
    const ending = session.end();
    vi.setSystemTime(Date.now() + 1);
    const later = setup({ store: memory }, provider);
    const { accessToken } = await later.startLogin();
    read();
    expect(await ending).toMatchObject({ server: "no-session" });
    expect(provider.isAlive(accessToken)).toBe(true);
  });
});

describe("a store that was cleared", () => {
  it("does not receive the tombstones again", async () => {
    const store = memoryStore();
    const { session, startLogin } = setup({ store });
    await startLogin();
    await session.end();
    for (const key of Object.keys(await store.read())) await store.remove(key);
    await session.flush();
    expect(await store.read()).toEqual({});
  });
});

describe("a store whose first read does not settle", () => {
  const setupSilent = () => setup({ store: { ...memoryStore(), read: never }, timeout: 1_000 });

  it("causes one event after the timeout, and the user is signed out", async () => {
    const { session, events } = setupSilent();
    const ready = session.ready();
    expect(session.state).toBe("restoring");
    await vi.advanceTimersByTimeAsync(1_000);
    await ready;
    await session.ready();
    expect(session.state).toBe("signed-out");
    expect(events.map(({ type }) => type)).toEqual(["store-failed", "signed-out"]);
  });

  it.each(["start", "end"] as const)(
    "causes one event after %s(), without a second sign-out",
    async (call) => {
      const { session, events, provider } = setupSilent();
      const done = call === "end" ? session.end() : session.start({ ...provider.login(), grant: "login" });
      void session.ready();
      await vi.advanceTimersByTimeAsync(5_000);
      await done;
      const type = call === "end" ? "signed-out" : "started";
      expect(events.map((event) => event.type)).toEqual([type, "store-failed"]);
    },
  );
});

describe("tokens of other code", () => {
  const given = (tokens: object) => ({ [DOCUMENTED]: JSON.stringify(tokens) });

  it("become the session beside the pending ending of another one", async () => {
    const provider = createSandboxApp();
    const ending = { endpoint: "logout", since: Date.now(), attempt: 0, until: 0 } as const;
    const { store, isAlive } = await storedBy(provider, { ending });
    const { accessToken } = provider.login();
    const text = given({ accessToken })[DOCUMENTED] ?? "";
    await store.write(DOCUMENTED, text);
    provider.misbehave({ path: LOGOUT, status: 503 });
    const { session } = setup({ store, retries: 0 }, provider);
    await session.ready();
    expect(session.state).toBe("active");
    expect((await recordsIn(store)).live).toMatchObject([{ tokens: { accessToken } }]);
    expect(isAlive()).toBe(true);
  });

  it("disappear, and do not become a session, if one has them already", async () => {
    const provider = createSandboxApp();
    const { store, record } = await storedBy(provider);
    await store.write(DOCUMENTED, JSON.stringify(record.tokens));
    const { session } = setup({ store }, provider);
    await session.ready();
    expect(session.current?.id).toBe("stored");
    expect(Object.keys(await store.read())).toEqual(["session.stored"]);
  });

  it("stay in the store beside another session, or if they are invalid", async () => {
    const provider = createSandboxApp();
    const { store } = await storedBy(provider);
    const invalid = memoryStore();
    await store.write(DOCUMENTED, JSON.stringify({ accessToken: "example-other" }));
    await invalid.write(DOCUMENTED, JSON.stringify({ accessToken: "with space" }));
    const [beside, alone] = [setup({ store }, provider), setup({ store: invalid }, provider)];
    await Promise.all([beside.session.ready(), alone.session.ready()]);
    expect(beside.session.current?.id).toBe("stored");
    expect(alone.session.state).toBe("signed-out");
    expect(Object.keys(await store.read())).toContain(DOCUMENTED);
    expect(Object.keys(await invalid.read())).toEqual([DOCUMENTED]);
    expect(endings(provider)).toEqual([]);
  });
});

it("keeps a tombstone for six hours", async () => {
  const store = memoryStore();
  const { session, startLogin } = setup({ store });
  await startLogin();
  await session.end();
  const over = async () => (await recordsIn(store)).over.length;
  vi.setSystemTime(Date.now() + LIFETIME_MS - 1);
  await startLogin();
  await session.end();
  expect(await over()).toBe(2);
  vi.setSystemTime(Date.now() + 1);
  await startLogin();
  await session.end();
  expect(await over()).toBe(2);
});
