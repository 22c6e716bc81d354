/** Pending endings: which requests are sent again, and when. */
import { getEventListeners } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { memoryStore } from "../src/index.ts";
import { serialize } from "../src/record.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import {
  endings,
  LOGOUT,
  only,
  REVOKE,
  recordOf,
  recordsIn,
  reopen,
  setup,
  storeDouble,
  stubGlobals,
  stubPage,
  useFakeTime,
} from "./support.ts";

const confirmed = (endpoint: "logout" | "revoke") => ({ endpoint, server: "confirmed", local: "cleared" });

/** A session whose last ending was refused by the server. */
async function unconfirmed(
  options: Parameters<typeof setup>[0] = {},
  grant: "login" | "oauth" = "login",
  call: "end" | "logout" = "end",
) {
  const all = setup(options);
  const tokens = await (grant === "login" ? all.startLogin() : all.startOAuth());
  const undo = all.provider.misbehave({ status: 403 });
  await all.session[call]();
  undo();
  return { ...all, ...tokens };
}

describe("flush()", () => {
  it("confirms a pending ending, and reports it", async () => {
    const { provider, session, accessToken, events } = await unconfirmed();
    expect(session.pending).toBe(1);
    expect(await session.flush()).toEqual([confirmed("logout")]);
    expect(provider.isAlive(accessToken)).toBe(false);
    expect(session.pending).toBe(0);
    expect(events.at(-1)).toEqual({ type: "settled", end: confirmed("logout") });
    expect(await session.flush()).toEqual([]);
  });

  it("keeps an ending that is still unconfirmed", async () => {
    const { provider, session } = await unconfirmed();
    provider.misbehave({ status: 404 });
    expect(await session.flush()).toMatchObject([{ server: "unconfirmed", local: "pending" }]);
    expect(session.pending).toBe(1);
  });

  it("joins an ending in flight instead of sending it twice", async () => {
    const { provider, session, startLogin } = setup();
    await startLogin();
    const [end, ends, again] = await Promise.all([session.logout(), session.flush(), session.flush()]);
    expect(ends).toEqual([end]);
    expect(again).toEqual([end]);
    expect(endings(provider)).toHaveLength(1);
  });

  it.each(["keep", "discard"] as const)("runs at ready(), which waits for it (%s)", async (onUnconfirmed) => {
    const store = memoryStore();
    const { provider, accessToken } = await unconfirmed({ store });
    const { session } = await reopen({ store, onUnconfirmed }, provider);
    expect(provider.isAlive(accessToken)).toBe(false);
    expect(session.pending).toBe(0);
    expect(session.state).toBe("signed-out");
    expect(await recordsIn(store)).toMatchObject({ live: [], pending: [], over: [{}] });
  });

  it("runs at start(), which does not wait for it", async () => {
    const { provider, session, startLogin } = await unconfirmed();
    provider.misbehave({ path: LOGOUT, delay: "forever" });
    await startLogin();
    expect(session.state).toBe("active");
    expect(endings(provider)).toHaveLength(2);
  });

  it("runs when the browser is online again, until the session is closed", async () => {
    const target = stubPage();
    const listeners = () => getEventListeners(target, "online").length;
    stubGlobals({ navigator: { onLine: true } });
    const { provider, session, accessToken, startLogin } = await unconfirmed();
    expect(listeners()).toBe(1);
    target.dispatchEvent(new Event("online"));
    await vi.waitUntil(() => session.pending === 0);
    expect(provider.isAlive(accessToken)).toBe(false);
    session.close();
    expect(listeners()).toBe(0);
    await startLogin();
    expect(listeners()).toBe(0);
  });

  it("does not listen if the runtime lacks navigator.onLine", async () => {
    const addEventListener = vi.fn();
    stubGlobals({ navigator: {}, addEventListener });
    await unconfirmed();
    expect(addEventListener).not.toHaveBeenCalled();
  });

  it("skips an ending that another process may be sending, until its lease has lapsed", async () => {
    const store = memoryStore();
    const { provider } = await unconfirmed({ store });
    useFakeTime();
    const record = only((await recordsIn(store)).pending);
    const ending = { ...record.ending, attempt: 2, until: Date.now() + 1_000 };
    store.write(`ended.${record.id}`, serialize({ ...record, ending }));
    const { session } = setup({ store }, provider);
    expect(await session.flush()).toEqual([]);
    expect(await session.logout()).toMatchObject({
      server: "unconfirmed",
      local: "pending",
      error: { code: "elsewhere" },
    });
    expect(endings(provider)).toHaveLength(1);
    vi.setSystemTime(Date.now() + 1_000);
    expect(await session.flush()).toEqual([confirmed("logout")]);
  });

  it("takes a lease for an ending, and releases it after the answer", async () => {
    const leases: unknown[] = [];
    const { provider, session } = await unconfirmed({
      store: storeDouble(({ key, text }) => {
        if (key.startsWith("ended") && text) leases.push(JSON.parse(text).ending);
      }),
    });
    leases.length = 0;
    useFakeTime();
    provider.misbehave({ status: 400 });
    await session.flush();
    expect(leases).toMatchObject([
      { attempt: 2, until: Date.now() + 5_000 },
      { attempt: 2, until: 0 },
    ]);
  });

  it("runs at logout() without a session", async () => {
    const { provider, session, accessToken } = await unconfirmed();
    expect(await session.logout()).toEqual(confirmed("logout"));
    expect(provider.isAlive(accessToken)).toBe(false);
  });

  it("lets logout() report the first unconfirmed ending of several", async () => {
    const { provider, session, startLogin } = await unconfirmed();
    provider.misbehave({ path: LOGOUT, status: 403, times: 3 });
    await startLogin(provider.addUser({ email: "second@example.com" }).id);
    await session.logout();
    expect(session.pending).toBe(2);
    expect((await session.logout()).server).toBe("unconfirmed");
  });

  it("asks for an ending of six hours as usual, and drops it at an answer that would leave it pending", async () => {
    useFakeTime();
    const store = memoryStore();
    const { provider, session, accessToken } = await unconfirmed({ store, retries: 0 });
    vi.setSystemTime(Date.now() + 21_600_000);
    provider.misbehave({ drop: true, times: 1 });
    expect(await session.flush()).toMatchObject([{ server: "unconfirmed", local: "pending" }]);
    provider.misbehave({ status: 403, times: 1 });
    expect(await session.flush()).toEqual([{ endpoint: "logout", server: "expired", local: "cleared" }]);
    expect(session.pending).toBe(0);
    expect(JSON.stringify(await store.read())).not.toContain(accessToken);
  });

  it("reports the answer to an ending of six hours", async () => {
    useFakeTime();
    const { provider, session, accessToken } = await unconfirmed();
    vi.setSystemTime(Date.now() + 21_600_000);
    expect(await session.flush()).toMatchObject([{ server: "already-invalid", local: "cleared" }]);
    expect(provider.isAlive(accessToken)).toBe(false);
  });

  it("sends each ending to the region that its token belongs to", async () => {
    const store = memoryStore();
    const { provider, session } = setup({ store });
    const { accessToken } = provider.login(undefined, "us");
    await session.start({ accessToken, grant: "login", region: "us" });
    provider.misbehave({ status: 403, times: 1 });
    await session.logout();
    const later = setup({ store, region: "international" }, provider);
    expect(await later.session.flush()).toEqual([confirmed("logout")]);
    expect(provider.isAlive(accessToken)).toBe(false);
  });
});

describe("a pending revoke", () => {
  const superseded = { ...confirmed("revoke"), server: "superseded", refreshToken: "may-be-valid" };

  it.each([
    ["the same user", {}],
    ["an unknown user", { userId: undefined }],
  ])("never ends a new authorization of %s", async (_, known) => {
    const { provider, session, events } = await unconfirmed({}, "oauth");
    const { id: _id, ...tokens } = provider.authorize();
    const { length } = events;
    await session.start({
      accessToken: tokens.accessToken,
      grant: "oauth",
      ...("userId" in known ? {} : { userId: tokens.userId }),
    });
    await session.flush();
    expect(provider.isAlive(tokens.accessToken)).toBe(true);
    expect(provider.isAlive(tokens.refreshToken)).toBe(true);
    expect(session.pending).toBe(0);
    expect(events.slice(length)).toEqual([{ type: "started" }, { type: "settled", end: superseded }]);
    expect(endings(provider)).toHaveLength(1);
  });

  it("does not spare an authorization of another user or region, or a login", async () => {
    for (const next of ["user", "region", "login", "logout"] as const) {
      const call = next === "logout" ? next : "end";
      const { provider, session, accessToken } = await unconfirmed({}, "oauth", call);
      const userId = next === "user" ? provider.addUser({ email: "other@example.com" }).id : provider.user.id;
      const region = next === "region" ? "us" : "international";
      if (next === "login") await session.start({ ...provider.login(), grant: "login" });
      else await session.start({ ...provider.authorize(userId, region), grant: "oauth", region });
      await vi.waitUntil(() => session.pending === 0);
      expect(provider.isAlive(accessToken)).toBe(false);
    }
  });

  it("stops if a new authorization of the user starts while it is in flight", async () => {
    const { provider, session, startOAuth } = setup();
    await startOAuth();
    provider.misbehave({ path: REVOKE, delay: "forever" });
    const ending = session.revoke();
    const { accessToken } = await startOAuth();
    expect(await ending).toEqual(superseded);
    expect(provider.isAlive(accessToken)).toBe(true);
  });

  it("does not retry after a new authorization of the user has started", async () => {
    const { provider, session, startOAuth } = setup();
    await startOAuth();
    useFakeTime();
    provider.misbehave({ path: REVOKE, status: 503, times: 1 });
    const ending = session.revoke();
    await vi.advanceTimersByTimeAsync(50);
    const { accessToken } = await startOAuth();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await ending).toEqual(superseded);
    expect(provider.isAlive(accessToken)).toBe(true);
    expect(endings(provider)).toHaveLength(1);
  });

  it("disappears from the store after the new authorization, if it was made offline", async () => {
    const store = memoryStore();
    const { session, provider } = setup({ store, retries: 0 });
    await session.start({ ...provider.authorize(), grant: "oauth" });
    const undo = provider.misbehave({ drop: true });
    expect(await session.end()).toMatchObject({ server: "unconfirmed", error: { code: "network" } });
    undo();
    const next = provider.authorize();
    await session.start({ ...next, grant: "oauth" });
    await session.flush();
    const later = await reopen({ store }, provider);
    expect(later.session.state).toBe("active");
    expect(provider.isAlive(next.accessToken)).toBe(true);
    expect((await recordsIn(store)).pending).toEqual([]);
  });
});

describe("start() over an active session", () => {
  it.each(["keep", "discard"] as const)("ends a login session on the server (%s)", async (onUnconfirmed) => {
    const { provider, session, startLogin } = setup({ onUnconfirmed });
    const old = await startLogin();
    const next = await startLogin();
    await session.flush();
    expect(provider.isAlive(old.accessToken)).toBe(false);
    expect(provider.isAlive(next.accessToken)).toBe(true);
    expect(session.state).toBe("active");
  });

  it("replaces an OAuth session of the same user, and reports it", async () => {
    const { provider, session, startOAuth, events } = setup();
    await startOAuth();
    const next = await startOAuth();
    await session.flush();
    expect(endings(provider)).toEqual([]);
    expect(provider.isAlive(next.accessToken)).toBe(true);
    expect(events.at(-1)).toMatchObject({ type: "settled", end: { server: "superseded" } });
  });

  it("revokes an OAuth session of another user", async () => {
    const { provider, session, startOAuth } = setup();
    const old = await startOAuth();
    const next = await startOAuth(provider.addUser({ email: "other@example.com" }).id);
    await session.flush();
    expect(provider.isAlive(old.refreshToken)).toBe(false);
    expect(provider.isAlive(next.refreshToken)).toBe(true);
  });

  it("does not end a session with the same token, as when a component mounts twice", async () => {
    const { provider, session } = setup();
    const tokens = provider.login();
    await session.start({ ...tokens, grant: "login" });
    await session.start({ ...tokens, grant: "login" });
    await session.flush();
    expect(provider.isAlive(tokens.accessToken)).toBe(true);
    expect((await session.client.GET("/v1/user")).response.status).toBe(200);
  });

  it("writes the new session and the ending of the old one before it removes the old one", async () => {
    const steps: string[] = [];
    const { startLogin } = setup({
      store: storeDouble(({ method, key }) => void steps.push(`${method} ${key.split(".")[0]}`)),
    });
    await startLogin();
    steps.length = 0;
    await startLogin();
    expect(steps.slice(0, 4)).toEqual(["read ", "write session", "write ended", "remove session"]);
  });
});

describe('onUnconfirmed: "discard"', () => {
  it("never stores the token of an ending, and drops it if it is unconfirmed", async () => {
    const written: string[] = [];
    const store = storeDouble(({ text }) => void written.push(text));
    const { provider, session, startLogin } = setup({ store, onUnconfirmed: "discard" });
    await startLogin();
    written.length = 0;
    provider.misbehave({ status: 403 });
    expect(await session.logout()).toMatchObject({ server: "unconfirmed", local: "cleared" });
    expect(written.join()).not.toContain("tokens");
    expect(session.pending).toBe(0);
    expect(await session.flush()).toEqual([]);
    expect(await recordsIn(store)).toMatchObject({ live: [], pending: [], over: [{}] });
  });

  it("leaves the refused ending of another tab in the store", async () => {
    const store = memoryStore();
    const { provider } = await unconfirmed({ store });
    provider.misbehave({ status: 403 });
    await reopen({ store, onUnconfirmed: "discard" }, provider);
    expect(await recordsIn(store)).toMatchObject({ live: [], pending: [{ ending: { attempt: 2 } }] });
  });
});

describe("a stored record", () => {
  it("restores the session for requests", async () => {
    const store = memoryStore();
    const provider = createSandboxApp();
    const { accessToken } = provider.login();
    store.write("session.one", serialize(recordOf({ tokens: { accessToken } })));
    const { session, events } = setup({ store }, provider);
    expect(session.state).toBe("restoring");
    expect((await session.client.GET("/v1/user")).response.status).toBe(200);
    expect(session.state).toBe("active");
    expect(events).toEqual([{ type: "started" }]);
  });

  const nested = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  // record.test.ts has every invalid field.
  const misread: [string, unknown][] = [
    ["of an unknown version", recordOf({ v: 2 })],
    ["with a token that no header can carry", recordOf({ tokens: { accessToken: "a\nb" } })],
    ["whose region is an object", recordOf({ region: { toString: 1 } })],
    ["that starts in more than ten years", recordOf({ startedAt: 2 ** 53 })],
    ["with an invalid ending", recordOf({ ending: { endpoint: "logout", since: 1, until: 0 } })],
    ["that is not an object", "text"],
    ["that is null", null],
    ["of 100,000 nested lists", nested],
    ["after a byte order mark", `\ufeff${serialize(recordOf())}`],
  ];

  describe.each(["at once", "later"])("in a store that answers %s", (when) => {
    it.each(misread)("stays untouched, is never sent, and is reported once: %s", async (_, stored) => {
      const memory = memoryStore();
      const store = when === "later" ? { ...memory, read: async () => memory.read() } : memory;
      const string = typeof stored === "string" ? stored : JSON.stringify(stored);
      const key = string.includes("ending") ? "ended.one" : "session.one";
      memory.write(key, string);
      const { provider, session, events } = await reopen({ store });
      await session.flush();
      expect(session.state).toBe("signed-out");
      expect(session.pending).toBe(0);
      expect(events.filter(({ type }) => type === "store-failed")).toHaveLength(1);
      const failed = { code: "store-failed" };
      const end = { server: "unconfirmed", local: "failed", error: failed, storeError: failed };
      expect(await session.end()).toMatchObject(end);
      expect(provider.requests).toEqual([]);
      expect(await store.read()).toEqual({ [key]: string });
    });
  });

  it("makes end() report unconfirmed if it is under another key", async () => {
    const store = memoryStore();
    store.write("session.two", serialize(recordOf()));
    const { session } = setup({ store });
    expect(await session.end()).toMatchObject({ server: "unconfirmed", local: "failed" });
  });

  it("restores and ends as usual beside an invalid string", async () => {
    const store = memoryStore();
    const provider = createSandboxApp();
    const { accessToken } = provider.login();
    store.write("session.bad", JSON.stringify(recordOf({ region: { toString: 1 } })));
    store.write("session.one", serialize(recordOf({ tokens: { accessToken } })));
    const { session } = await reopen({ store }, provider);
    expect(session.state).toBe("active");
    expect(await session.end()).toEqual(confirmed("logout"));
  });

  it("stays in the store without becoming a session if it is of another origin", async () => {
    const store = memoryStore();
    store.write("session.one", serialize(recordOf({ origin: "https://api.baanx.com" })));
    const before = await store.read();
    const { provider, session } = setup({ store });
    expect(await session.end()).toMatchObject({ server: "no-session" });
    expect(provider.requests).toEqual([]);
    expect(await store.read()).toEqual(before);
  });

  it("finishes an interrupted ending if it is both live and pending", async () => {
    const store = memoryStore();
    const provider = createSandboxApp();
    const { accessToken } = provider.login();
    const stored = recordOf({ tokens: { accessToken } });
    const ending = { endpoint: "logout", since: Date.now(), attempt: 0, until: 0 } as const;
    store.write("session.one", serialize(stored));
    store.write("ended.one", serialize({ ...stored, ending }));
    const { session } = await reopen({ store }, provider);
    expect(session.state).toBe("signed-out");
    expect(provider.isAlive(accessToken)).toBe(false);
    expect(await recordsIn(store)).toMatchObject({ live: [], pending: [], over: [{}] });
  });
});
