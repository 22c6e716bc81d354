/** Endings between tabs: leases, tombstones of other tabs, and what an answer says after a renewal or hours later. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { memoryStore, type SessionOptions, type TokenStore } from "../src/index.ts";
import { LIFETIME_MS } from "../src/ledger.ts";
import { asOver, type Outcome, type SessionRecord } from "../src/record.ts";
import { createSandboxApp, type SandboxApp } from "../src/sandbox/sandbox.ts";
import {
  endings,
  expired,
  LOGOUT,
  only,
  put,
  REVOKE,
  recordOf,
  recordsIn,
  renewAt,
  reopen,
  setup,
  storeDouble,
  useFakeTime,
} from "./support.ts";

beforeEach(() => void useFakeTime());
afterEach(() => void vi.restoreAllMocks());

/** A store whose other users can be heard. */
function shared() {
  const listeners = new Set<() => void>();
  const store: TokenStore = {
    ...memoryStore(),
    subscribe(onChange) {
      listeners.add(onChange);
      return () => listeners.delete(onChange);
    },
  };
  return { store, hear: () => [...listeners].map((listener) => listener()) };
}

function pendingRecord(provider: SandboxApp, id: string, lease: object): SessionRecord {
  const { accessToken } = provider.login();
  const ending = { endpoint: "logout", since: Date.now(), attempt: 1, until: 0, ...lease };
  return recordOf({ id, startedAt: Date.now() - 1, tokens: { accessToken }, ending });
}

describe("an ending that another tab has leased", () => {
  /** A tab beside another one, which has leased endings for these times in ms. */
  async function beside(leases: Record<string, number>, options: Partial<SessionOptions> = {}) {
    const { store, hear } = shared();
    const provider = createSandboxApp();
    const lease = (id: string, ms: number, attempt = 1) =>
      put(store, pendingRecord(provider, id, { attempt, until: Date.now() + ms }));
    for (const [id, ms] of Object.entries(leases)) await lease(id, ms);
    const { session } = await reopen({ store, ...options }, provider);
    expect(endings(provider)).toEqual([]);
    const sent = () => endings(provider).length;
    return { store, hear, lease, session, sent, provider };
  }

  it.each([
    [0, 3_000],
    [0.5, 3_500],
  ])(
    "goes out a second after the lease has lapsed, and up to another second later (%d)",
    async (random, after) => {
      vi.spyOn(Math, "random").mockReturnValue(random);
      const { sent } = await beside({ one: 2_000 });
      await vi.advanceTimersByTimeAsync(after - 1);
      expect(sent()).toBe(0);
      await vi.advanceTimersByTimeAsync(1);
      expect(sent()).toBe(1);
    },
  );

  it("goes out in the order of the leases, whichever was seen first", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const { lease, hear, sent } = await beside({ one: 10_000 });
    await lease("two", 2_000);
    await lease("three", 20_000);
    hear();
    for (const [ms, count] of [
      [2_999, 0],
      [1, 1],
      [7_999, 1],
      [1, 2],
      [9_999, 2],
      [1, 3],
    ] as const) {
      await vi.advanceTimersByTimeAsync(ms);
      expect(sent()).toBe(count);
    }
  });

  it("waits for a lease that was taken again, and not for one that was released", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const { lease, sent, store, provider } = await beside({ one: 2_000 });
    await lease("one", 6_000, 2);
    await put(store, pendingRecord(provider, "two", { attempt: 1, until: 0 }));
    await vi.advanceTimersByTimeAsync(6_999);
    expect(sent()).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent()).toBe(1);
  });

  it.each(["without subscribe()", "of a closed session", "that is longer than any"])(
    "sets no timer for a lease %s",
    async (kind) => {
      const isClosed = kind === "of a closed session";
      const options = kind === "without subscribe()" ? { store: memoryStore() } : {};
      const { session, lease, store } = await beside({}, options);
      if (isClosed) session.close();
      await lease("one", kind === "that is longer than any" ? 120_001 : 2_000);
      if (options.store) await options.store.write("ended.one", (await store.read())["ended.one"] ?? "");
      await session.flush();
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  it("does not go out after close()", async () => {
    const { session, sent } = await beside({ one: 2_000 });
    session.close();
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sent()).toBe(0);
  });

  it("does not keep a process alive", async () => {
    const set = vi.spyOn(globalThis, "setTimeout");
    await beside({ one: 2_000 });
    const at = set.mock.calls.findIndex(([, ms = 0]) => ms >= 3_000 && ms < 4_000);
    const timer: NodeJS.Timeout = set.mock.results[at]?.value;
    expect(timer.hasRef()).toBe(false);
  });
});

describe("the tombstone of another tab", () => {
  /** Two processes that show one session; the other one ends it with an outcome that it stores. */
  async function ended(outcome: Outcome, isInFlight = false) {
    const store = memoryStore();
    const provider = createSandboxApp();
    const { session, startLogin, events } = setup({ store, retries: 0 }, provider);
    await startLogin();
    const record = only((await recordsIn(store)).live);
    provider.misbehave({ path: LOGOUT, status: 403, delay: isInFlight ? 1_000 : 0 });
    const write = async () => {
      await put(store, asOver(record, Date.now(), outcome));
      await store.remove(`session.${record.id}`);
    };
    return { session, provider, events, write };
  }

  it.each<[Outcome, object, number]>([
    ["confirmed", { server: "confirmed", local: "cleared" }, 0],
    ["already-invalid", { server: "already-invalid", local: "cleared" }, 0],
    ["superseded", { server: "superseded", local: "cleared" }, 0],
    ["expired", { server: "unconfirmed", error: { code: "rejected" } }, 1],
    ["unconfirmed", { server: "unconfirmed", error: { code: "rejected" } }, 1],
  ])("decides whether end() asks: %s", async (outcome, expected, requests) => {
    const { session, provider, write } = await ended(outcome);
    await write();
    expect(await session.end()).toMatchObject(expected);
    expect(endings(provider)).toHaveLength(requests);
  });

  it.each<[Outcome, object]>([
    ["confirmed", { server: "confirmed" }],
    ["already-invalid", { server: "already-invalid" }],
    ["superseded", { server: "superseded" }],
    ["expired", { server: "unconfirmed", error: { code: "rejected", status: 403 } }],
    ["unconfirmed", { server: "unconfirmed", error: { code: "rejected", status: 403 } }],
  ])("counts for an attempt in flight whose answer confirms nothing: %s", async (outcome, expected) => {
    const { session, write, events } = await ended(outcome, true);
    const end = session.end();
    await write();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await end).toMatchObject({ ...expected, local: "cleared" });
    expect(events.filter(({ type }) => type === "settled")).toHaveLength(1);
  });
});

describe("reads that fail", () => {
  it.each([
    [LOGOUT, "login", 3],
    [REVOKE, "oauth", 1],
  ] as const)("keep no ending from its first request: %s", async (path, grant, requests) => {
    let isAway = false;
    const store = storeDouble(({ method }) => {
      if (isAway && method === "read") throw new Error("away");
    });
    const { session, provider } = setup({ store });
    await session.ready();
    const { accessToken } = provider.login();
    await session.start({ accessToken, grant });
    provider.misbehave({ path, status: 503 });
    isAway = true;
    const end = session.end();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await end).toMatchObject({ server: "unconfirmed" });
    expect(endings(provider)).toHaveLength(requests);
  });
});

describe("a revoke with an expired access token", () => {
  /** The second answer, after the renewal. */
  const refuseSecond = (provider: ReturnType<typeof createSandboxApp>) => {
    provider.misbehave({ path: REVOKE, status: 401, times: 1, body: "{}" });
    provider.misbehave({ path: REVOKE, status: 503 });
  };

  it("reports the refresh token if the renewal worked, and the second answer confirms nothing", async () => {
    const { session, provider } = await expired({ retries: 0 });
    refuseSecond(provider);
    expect(await session.end()).toMatchObject({
      server: "unconfirmed",
      local: "pending",
      refreshToken: "may-be-valid",
      error: { code: "server-error" },
    });
  });

  it("stays pending after six hours if the renewal rejected, and expires if it worked", async () => {
    let isAway = true;
    const renew: SessionOptions["renew"] = async (...args) => {
      if (isAway) throw new Error("away");
      return renewAt(provider)(...args);
    };
    const { session, provider } = await expired({ retries: 0, renew });
    expect(await session.end()).toMatchObject({ server: "unconfirmed", local: "pending" });
    vi.setSystemTime(Date.now() + LIFETIME_MS);
    expect(await session.flush()).toMatchObject([{ server: "unconfirmed", local: "pending" }]);
    isAway = false;
    refuseSecond(provider);
    expect(await session.flush()).toMatchObject([{ server: "expired", local: "cleared" }]);
  });
});

it("tells flush() the result of an ending that end() takes out of the queue", async () => {
  const { store, hear } = shared();
  const provider = createSandboxApp();
  const { session, startLogin } = setup({ store }, provider);
  await startLogin();
  provider.misbehave({ path: LOGOUT, delay: 1_000 });
  for (let index = 0; index < 6; index++)
    await put(store, pendingRecord(provider, `${index}`, { attempt: 0 }));
  hear();
  await store.remove(`session.${only((await recordsIn(store)).live).id}`);
  hear();
  const flushed = session.flush();
  const ended = session.end();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await ended).toMatchObject({ server: "confirmed" });
  expect((await flushed).map(({ server }) => server)).toEqual(Array(7).fill("confirmed"));
});
