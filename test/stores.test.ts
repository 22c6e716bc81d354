/** Stores: late answers, failures, web storage, and the state after a crash. */
import { describe, expect, it, vi } from "vitest";
import { memoryStore, type TokenStore, webStorageStore } from "../src/index.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import {
  BASE_URL,
  endings,
  gate,
  only,
  recordsIn,
  recordsOf,
  reopen,
  type StoreCall,
  setup,
  storageOf,
  storeDouble,
  stubGlobals,
  stubPage,
  useFakeTime,
  within,
} from "./support.ts";

/** Returns the same store, but each call waits for `later`, and each answer is a promise. */
const slow = (store: TokenStore, later: (call: StoreCall) => Promise<unknown> = async () => {}): TokenStore =>
  storeDouble(later, store);

const storage = (entries: Record<string, string> = {}) => storageOf(new Map(Object.entries(entries)));

/** Returns the records in a storage. */
const held = (from: Storage) =>
  recordsOf(
    Object.fromEntries(Object.entries(contents(from)).filter(([key]) => key.startsWith("baanx-session:"))),
  );

const contents = (from: Storage): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: from.length }, (_, index) => from.key(index) ?? "").map((key) => [
      key,
      from.getItem(key) ?? "",
    ]),
  );

describe("a store that answers later", () => {
  it("does not hold the request back", async () => {
    const { opened } = gate();
    const sent: unknown[] = [];
    const memory = memoryStore();
    const { provider, session } = setup({
      store: slow(memory, ({ key }) => (key.startsWith("ended") ? opened : Promise.resolve())),
      fetch: (input, init) => {
        sent.push(input);
        return provider.fetch(input, init);
      },
    });
    await session.start({ ...provider.login(), grant: "login" });
    session.logout();
    expect(sent).toHaveLength(1);
  });

  it("never removes a session that was started after the remove", async () => {
    const memory = memoryStore();
    const { opened, open } = gate();
    let isHeld = false;
    const { provider, session } = setup({
      store: slow(memory, () => (isHeld ? opened : Promise.resolve())),
    });
    await session.start({ ...provider.login(), grant: "login" });
    isHeld = true;
    const ending = session.logout();
    const { accessToken } = provider.login();
    const starting = session.start({ accessToken, grant: "login" });
    open();
    await Promise.all([ending, starting]);
    expect(await recordsIn(memory)).toMatchObject({ live: [{ tokens: { accessToken } }], pending: [] });
  });

  it("does not receive a session that ended during the read", async () => {
    const memory = memoryStore();
    const { provider, session } = setup({ store: slow(memory) });
    const starting = session.start({ ...provider.login(), grant: "login" });
    await Promise.all([session.logout(), starting]);
    expect(await recordsIn(memory)).toMatchObject({ live: [], pending: [] });
  });

  it("does not count as failed if the server is late", async () => {
    const later = () => new Promise((resolve) => setTimeout(resolve, 5));
    const { provider, session, startLogin } = setup({ store: slow(memoryStore(), later) });
    await startLogin();
    provider.misbehave({ delay: "forever" });
    useFakeTime();
    const end = await within(5_000, session.logout());
    expect(end).toMatchObject({ server: "unconfirmed", local: "pending", error: { code: "timeout" } });
    expect(end.storeError).toBeUndefined();
  });

  it("delays every call that needs the session", async () => {
    const memory = memoryStore();
    const { provider, startLogin } = setup({ store: memory });
    await startLogin();
    const { session } = setup({ store: slow(memory) }, provider);
    expect(session.state).toBe("restoring");
    expect((await session.client.GET("/v1/user")).response.status).toBe(200);
  });

  it("delays calls at most for the timeout, and still counts if it answers later", async () => {
    const memory = memoryStore();
    const { provider, startLogin } = setup({ store: memory });
    await startLogin();
    useFakeTime();
    const later = () => new Promise((resolve) => setTimeout(resolve, 6_000));
    const { session, events } = setup({ store: slow(memory, later) }, provider);
    const ready = session.ready();
    const flushed = session.flush();
    const fetched = session.fetch("/v1/user").catch(({ code }) => code);
    await vi.advanceTimersByTimeAsync(5_000);
    await ready;
    expect(await flushed).toEqual([]);
    expect(await fetched).toBe("store-failed");
    expect(session.state).toBe("signed-out");
    expect(events.map(({ type }) => type)).toEqual(["store-failed", "signed-out"]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(session.state).toBe("active");
  });

  it("does not block a call for ever if it never answers", async () => {
    useFakeTime();
    const { provider, session, startLogin } = setup({
      store: slow(memoryStore(), () => new Promise(() => {})),
    });
    const fetched = session.fetch("/v1/user").catch(({ code }) => code);
    const calls = [session.ready(), session.flush(), fetched, session.end()];
    const failed = { server: "unconfirmed", local: "failed", storeError: { code: "store-failed" } };
    expect(await within(5_000, Promise.all(calls))).toMatchObject([undefined, [], "store-failed", failed]);
    const { accessToken } = await within(5_000, startLogin());
    await within(5_000, startLogin());
    expect(session.state).toBe("active");
    // The previous session still ends on the server.
    expect(provider.isAlive(accessToken)).toBe(false);
  });

  it.each(["start", "end"])("writes the ending of a found session before %s() removes it", async (call) => {
    const memory = memoryStore();
    const { provider, startLogin } = setup({ store: memory });
    const old = await startLogin();
    const { id } = only((await recordsIn(memory)).live);
    const steps: string[] = [];
    const later = async ({ method, key }: StoreCall) => steps.push(`${method} ${key}`);
    const { session } = setup({ store: slow(memory, later) }, provider);
    const started = session.start({ ...provider.login(), grant: "login" });
    if (call === "end") await session.logout();
    await started;
    await session.flush();
    const written = steps.indexOf(`write ended.${id}`);
    expect(written).toBeGreaterThan(0);
    expect(steps.indexOf(`remove session.${id}`)).toBeGreaterThan(written);
    expect(provider.isAlive(old.accessToken)).toBe(false);
  });

  it("loses a session that was written late and ended before the first read", async () => {
    const memory = memoryStore();
    const { opened, open } = gate();
    useFakeTime();
    const { provider, session } = setup({
      store: slow(memory, ({ method }) => (method === "read" ? opened : Promise.resolve())),
    });
    session.start({ ...provider.login(), grant: "login" });
    await vi.advanceTimersByTimeAsync(5_000);
    const ending = session.logout();
    open();
    await ending;
    expect(await recordsIn(memory)).toMatchObject({ live: [], pending: [] });
  });

  it("keeps the records of another process while a session starts and ends", async () => {
    useFakeTime();
    const memory = memoryStore();
    const { provider, startLogin } = setup({ store: memory });
    const { opened, open } = gate();
    const read = async () => {
      const found = await memory.read();
      await opened;
      return found;
    };
    const { session } = setup({ store: { ...memory, read } }, provider);
    const starting = session.start({ ...provider.login(), grant: "login" });
    const ending = session.logout();
    // A sign-in in the millisecond of an ending counts as earlier.
    vi.setSystemTime(Date.now() + 1);
    const { accessToken } = await startLogin();
    open();
    await Promise.all([starting, ending]);
    expect((await recordsIn(memory)).live).toMatchObject([{ tokens: { accessToken } }]);
  });

  it("has not stored a session that ended and was forgotten before its write", async () => {
    const { opened, open } = gate();
    const store = storeDouble(({ method }) => (method === "write" ? opened : undefined));
    const { provider, session } = setup({ store });
    const started = session.start({ ...provider.login(), grant: "login" });
    // Eight tombstones are kept.
    for (let index = 0; index < 9; index++) {
      void session.start({ ...provider.login(), grant: "login" });
      void session.end();
    }
    await vi.waitFor(() => expect(session.pending).toBe(0));
    open();
    expect(await started).toMatchObject({ local: "failed", storeError: { code: "store-failed" } });
  });

  it("does not keep a request that its caller aborted", async () => {
    const { session } = setup({ store: slow(memoryStore(), () => new Promise(() => {})) });
    const caller = new AbortController();
    const asked = session.client.GET("/v1/user", { signal: caller.signal });
    caller.abort();
    await expect(asked).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("an ending while the store is being read", () => {
  it.each(["logout", "revoke", "end"] as const)(
    "by %s() signs out at once and ends the found session",
    async (call) => {
      const memory = memoryStore();
      const { provider, startOAuth } = setup({ store: memory });
      const { accessToken } = await startOAuth();
      const { opened, open } = gate();
      const { session, events } = setup({ store: slow(memory, () => opened) }, provider);
      const ending = session[call]();
      expect(session.state).toBe("signed-out");
      const again = session.logout();
      open();
      const endpoint = call === "logout" ? "logout" : "revoke";
      const refreshToken = call === "logout" && { refreshToken: "may-be-valid" };
      expect(await ending).toEqual({ endpoint, server: "confirmed", local: "cleared", ...refreshToken });
      expect(await again).toEqual(await ending);
      expect(provider.isAlive(accessToken)).toBe(false);
      expect(endings(provider)).toHaveLength(1);
      expect(await recordsIn(memory)).toMatchObject({ live: [], pending: [] });
      expect(events.map(({ type, reason }) => [type, reason])).toEqual([
        ["signed-out", "ended"],
        ["settled", undefined],
      ]);
    },
  );

  it("calls fetch in the first call, if the store answers at once", async () => {
    const memory = memoryStore();
    const { provider, startLogin } = setup({ store: memory });
    await startLogin();
    const { session } = setup({ store: memory }, provider);
    session.logout();
    expect(endings(provider)).toHaveLength(1);
  });

  it("reports no-session if the store is empty", async () => {
    const { session } = setup({ store: slow(memoryStore()) });
    expect(await session.logout()).toEqual({ endpoint: "logout", server: "no-session", local: "cleared" });
  });

  it("reports unconfirmed, never no-session, if the read fails", async () => {
    const locked = () => {
      throw new Error("locked");
    };
    for (const read of [locked, async () => locked()]) {
      const { session } = setup({ store: { ...memoryStore(), read } });
      expect(await session.end()).toMatchObject({
        server: "unconfirmed",
        local: "failed",
        storeError: { code: "store-failed", cause: { name: "Error" } },
      });
      expect(session.state).toBe("signed-out");
    }
  });

  it("shares one deadline with the request that follows", async () => {
    const memory = memoryStore();
    const { provider, startLogin } = setup({ store: memory });
    await startLogin();
    provider.misbehave({ delay: "forever" });
    useFakeTime();
    const read = () => new Promise((resolve) => setTimeout(resolve, 3_000));
    const { session } = setup(
      { store: slow(memory, ({ method }) => (method === "read" ? read() : Promise.resolve())) },
      provider,
    );
    const begun = Date.now();
    expect((await within(5_000, session.end())).error?.code).toBe("timeout");
    expect(Date.now() - begun).toBe(5_000);
  });

  it.each([0, 1])(
    "does not end a session that was started %i ms later, but ends the stored one",
    async (ms) => {
      useFakeTime();
      const memory = memoryStore();
      const { provider, startLogin } = setup({ store: memory });
      const old = await startLogin();
      vi.setSystemTime(Date.now() + ms);
      const { opened, open } = gate();
      const { session } = setup(
        { store: slow(memory, ({ method }) => (method === "read" ? opened : Promise.resolve())) },
        provider,
      );
      const ending = session.logout();
      const next = provider.login();
      const starting = session.start({ ...next, grant: "login" });
      open();
      await Promise.all([ending, starting, session.flush()]);
      expect(provider.isAlive(old.accessToken)).toBe(false);
      expect(provider.isAlive(next.accessToken)).toBe(true);
      expect(session.state).toBe("active");
      expect(await recordsIn(memory)).toMatchObject({
        live: [{ tokens: { accessToken: next.accessToken } }],
        pending: [],
      });
    },
  );
});

describe("a store that fails", () => {
  const failures = (["throws", "rejects"] as const).flatMap((how) =>
    (["read", "write", "remove"] as const).map((method) => ({ how, method })),
  );

  it.each(failures)(
    "at $method, if it $how, is reported, and the session has ended in memory",
    async ({ how, method }) => {
      const store = memoryStore();
      const { provider, session, startLogin, events } = setup({
        store: {
          ...store,
          [method]: () => {
            const error = Object.assign(new Error("the key is secret-in-message"), { code: "EIO" });
            if (how === "throws") throw error;
            return Promise.reject(error);
          },
        },
      });
      await startLogin();
      expect(session.state).toBe("active");
      expect((await session.client.GET("/v1/user")).response.status).toBe(200);
      const end = await session.logout();
      expect(session.state).toBe("signed-out");
      await expect(session.fetch(`${BASE_URL}/v1/user`)).rejects.toMatchObject({ code: "no-session" });
      expect(endings(provider)).toHaveLength(1);
      expect(end.server).toBe("confirmed");
      const reported = events.filter(({ type }) => type === "store-failed").map(({ error }) => error);
      expect(reported[0]).toMatchObject({ code: "store-failed", cause: { name: "Error", code: "EIO" } });
      expect(reported[0]?.message).toContain(method);
      if (end.local === "failed") expect(reported).toContain(end.storeError);
      // An ending that could not be written cannot be read back.
      const local = { read: "cleared", write: "cleared", remove: "failed" };
      expect(end.local).toBe(local[method]);
    },
  );

  it("keeps the session in the store for flush() if its ending cannot be written", async () => {
    const store = storeDouble(({ key }) =>
      key.startsWith("ended") ? Promise.reject(new Error("full")) : undefined,
    );
    const { provider, session, startLogin } = setup({ store });
    await startLogin();
    provider.misbehave({ status: 403, times: 1 });
    expect(await session.logout()).toMatchObject({ local: "failed", storeError: { code: "store-failed" } });
    expect(await session.flush()).toMatchObject([{ server: "confirmed" }]);
  });

  it.each(["logout", "start"])(
    "to remove a session at %s() keeps its ending, which prevails",
    async (call) => {
      const store = memoryStore();
      let isBroken = false;
      const broken = storeDouble(({ method }) => {
        if (isBroken && method === "remove") throw new Error("read-only");
      }, store);
      const { provider, session, startLogin, events } = setup({ store: broken });
      await startLogin();
      isBroken = true;
      if (call === "logout")
        expect(await session.logout()).toMatchObject({ server: "confirmed", local: "failed" });
      else await startLogin();
      await session.flush();
      expect(events.map(({ end }) => end?.server)).toContain("confirmed");
      useFakeTime();
      vi.setSystemTime(Date.now() + 5_000);
      isBroken = false;
      await reopen({ store }, provider);
      const ended = (await recordsIn(store)).over;
      expect(ended.length).toBeGreaterThan(0);
      expect((await recordsIn(store)).live.map(({ id }) => id)).not.toContain(ended[0]?.id);
    },
  );

  it("does not prevent start() from creating the session", async () => {
    const { provider, session } = setup({
      store: webStorageStore(() => {
        throw new DOMException("Blocked", "SecurityError");
      }),
    });
    await session.start({ ...provider.login(), grant: "login" });
    expect((await session.client.GET("/v1/user")).response.status).toBe(200);
    expect(await session.logout()).toMatchObject({
      server: "confirmed",
      storeError: { cause: { name: "SecurityError" } },
    });
  });
});

describe("webStorageStore", () => {
  it("keeps one item for the session and one for each ending", async () => {
    const local = storage({ theme: "dark" });
    const { provider, session, startLogin } = setup({ store: webStorageStore(() => local) });
    await startLogin();
    expect(Object.keys(contents(local))).toEqual([
      "theme",
      expect.stringMatching(/^baanx-session:session\.[\w.-]+$/),
    ]);
    provider.misbehave({ status: 403 });
    await session.logout();
    await startLogin();
    await session.logout();
    const keys = Object.keys(contents(local));
    expect(keys).toHaveLength(3);
    expect(keys.slice(1).every((key) => key.startsWith("baanx-session:ended."))).toBe(true);
  });

  it("restores the session after a reload, and finishes the pending endings", async () => {
    const local = storage();
    const first = setup({ store: webStorageStore(() => local) });
    await first.startLogin();
    first.provider.misbehave({ status: 403, times: 2 });
    await first.session.logout();
    const { accessToken } = await first.startLogin(first.provider.addUser({ email: "b@example.com" }).id);
    await first.session.flush();
    const second = await reopen({ store: webStorageStore(() => local) }, first.provider);
    expect(second.session.state).toBe("active");
    expect(second.session.pending).toBe(0);
    await second.session.logout();
    expect(first.provider.isAlive(accessToken)).toBe(false);
    expect(held(local)).toMatchObject({ live: [], pending: [] });
  });

  it.each(["{broken", "42", '"text"', "[]", '{"v":2}'])(
    "leaves %s in place, stays signed out, and does not report cleared",
    async (record) => {
      const local = storage({ "baanx-session:session.x": record, "baanx-session:ended.x": record });
      const { provider, session } = await reopen({ store: webStorageStore(() => local) });
      expect(session.state).toBe("signed-out");
      expect(await session.end()).toMatchObject({ server: "unconfirmed", local: "failed" });
      expect(provider.requests).toEqual([]);
      expect(Object.values(contents(local))).toEqual([record, record]);
    },
  );

  describe("the keys of the documented example", () => {
    const adopting = (local: Storage) => webStorageStore(() => local, { documentedKeys: true });

    const documented = (tokens: { accessToken: string; refreshToken?: string; userId: string }) =>
      storage({
        access_token: tokens.accessToken,
        refresh_token: tokens.refreshToken ?? "undefined",
        user_id: tokens.userId,
      });

    it.each(["login", "oauth"] as const)(
      "become a session of grant %s once, if configured",
      async (grant) => {
        const provider = createSandboxApp();
        const tokens = grant === "login" ? provider.login() : provider.authorize();
        const local = documented(tokens);
        const { session } = await reopen({ store: adopting(local) }, provider);
        expect(session.state).toBe("active");
        expect(Object.keys(contents(local))).toEqual([expect.stringContaining("baanx-session:session.")]);
        const { id: _, userId, ...kept } = { id: "", ...tokens };
        expect(held(local).live).toMatchObject([
          { v: 1, origin: BASE_URL, region: "international", grant, userId, tokens: kept },
        ]);
        expect((await session.end()).endpoint).toBe(grant === "login" ? "logout" : "revoke");
        expect(provider.isAlive(tokens.accessToken)).toBe(false);
      },
    );

    it("stay unused if a record exists, and are removed at the ending", async () => {
      const provider = createSandboxApp();
      const local = storage();
      const first = setup({ store: adopting(local) }, provider);
      const { accessToken } = await first.startLogin();
      for (const key of ["access_token", "refresh_token", "user_id"])
        local.setItem(key, "stale-example-token");
      const { session } = setup({ store: adopting(local) }, provider);
      await session.logout();
      expect(provider.isAlive(accessToken)).toBe(false);
      expect(Object.values(contents(local)).join()).not.toMatch(/"tokens"|stale-example-token/);
    });

    it("stay unused if the ending of the same token is pending", async () => {
      const local = storage();
      const first = setup({ store: adopting(local) });
      const { accessToken } = await first.startLogin();
      first.provider.misbehave({ status: 403 });
      await first.session.logout();
      local.setItem("access_token", accessToken);
      const { session } = await reopen({ store: adopting(local) }, first.provider);
      expect(session.state).toBe("signed-out");
    });

    it("become the newer session after an earlier session has ended", async () => {
      const local = storage();
      const first = setup({ store: adopting(local) });
      await first.startLogin();
      await first.session.end();
      local.setItem("access_token", first.provider.login().accessToken);
      const { session } = await reopen({ store: adopting(local) }, first.provider);
      expect(session.state).toBe("active");
    });

    it("may have quotes around the values, as JSON.stringify writes them", async () => {
      const provider = createSandboxApp();
      const { accessToken } = provider.login();
      const { session } = setup(
        { store: adopting(storage({ access_token: JSON.stringify(accessToken) })) },
        provider,
      );
      await session.ready();
      expect((await session.client.GET("/v1/user")).response.status).toBe(200);
    });

    it("stay untouched by default", async () => {
      const local = storage({ access_token: "example-token-of-other-software" });
      const { provider, session, startLogin } = await reopen({ store: webStorageStore(() => local) });
      expect(session.state).toBe("signed-out");
      await startLogin();
      await session.end();
      expect(local.getItem("access_token")).toBe("example-token-of-other-software");
      expect(endings(provider)).toHaveLength(1);
    });

    it("end if the first call is an ending", async () => {
      const provider = createSandboxApp();
      const tokens = provider.login();
      const local = documented(tokens);
      const { session } = setup({ store: adopting(local) }, provider);
      expect(await session.logout()).toEqual({ endpoint: "logout", server: "confirmed", local: "cleared" });
      expect(provider.isAlive(tokens.accessToken)).toBe(false);
      expect(Object.values(contents(local)).join()).not.toMatch(/"tokens"|stale-example-token/);
    });

    it("may contain placeholders for missing values", async () => {
      for (const word of ["undefined", "null", ""]) {
        const provider = createSandboxApp();
        const local = storage({
          access_token: provider.login().accessToken,
          refresh_token: word,
          user_id: word,
        });
        await reopen({ store: adopting(local) }, provider);
        const [record] = held(local).live;
        expect(record).toMatchObject({ grant: "login", startedAt: 1 });
        expect(Object.keys(record ?? {})).not.toContain("userId");
        expect(Object.keys(record?.tokens ?? {})).toEqual(["accessToken"]);
      }
    });

    it("stay unused if the token is invalid", async () => {
      for (const value of ["undefined", "null", "", "Bearer abc", "é"]) {
        const { session } = await reopen({ store: adopting(storage({ access_token: value })) });
        expect(session.state).toBe("signed-out");
        expect(await session.logout()).toMatchObject({ server: "no-session" });
      }
    });
  });

  it("notifies other objects of the page over the same storage and prefix, until they are closed", async () => {
    const local = storage();
    const provider = createSandboxApp();
    const open = (prefix?: string) =>
      setup({ store: webStorageStore(() => local, prefix ? { prefix } : {}) }, provider);
    const [one, other, apart] = [open(), open(), open("apart:")];
    await Promise.all([one, other, apart].map(({ session }) => session.ready()));
    await one.startLogin();
    await vi.waitFor(() => expect(other.session.state).toBe("active"));
    await one.session.end();
    expect(other.session.state).toBe("signed-out");
    expect(apart.session.state).toBe("signed-out");
    other.session.close();
    await one.startLogin();
    expect(other.session.state).toBe("signed-out");
  });

  it("emits no change without browser events, as on a server", () => {
    expect(globalThis.addEventListener).toBeUndefined();
    const stop = webStorageStore(storage).subscribe?.(() => {});
    expect(stop).not.toThrow();
  });

  it("notifies only about its own keys, until unsubscribed", () => {
    const target = stubPage();
    const onChange = vi.fn();
    const stop = webStorageStore(storage).subscribe?.(onChange);
    const tell = (type: string, fields: object) =>
      target.dispatchEvent(Object.assign(new Event(type), fields));
    tell("storage", { key: "theme" });
    stubGlobals({ document: { visibilityState: "hidden" } });
    tell("visibilitychange", {});
    expect(onChange).not.toHaveBeenCalled();
    tell("storage", { key: "baanx-session:session.x" });
    tell("storage", { key: null });
    tell("pageshow", {});
    tell("resume", {});
    tell("online", {});
    stubGlobals({ document: { visibilityState: "visible" } });
    tell("visibilitychange", {});
    expect(onChange).toHaveBeenCalledTimes(6);
    stop?.();
    for (const type of ["storage", "pageshow", "resume", "online", "visibilitychange"])
      tell(type, { key: null });
    expect(onChange).toHaveBeenCalledTimes(6);
  });

  it("reads the storage at each use, never at creation", () => {
    const thunk = vi.fn(() => storage());
    const { session } = setup({ store: webStorageStore(thunk) });
    expect(thunk).not.toHaveBeenCalled();
    session.ready();
    expect(thunk).toHaveBeenCalled();
  });
});

it("emits an event for a failed read, and resolves ready()", async () => {
  const read = () => Promise.reject(new Error("locked"));
  const { session, events } = await reopen({ store: { ...memoryStore(), read } });
  expect(events.map(({ type }) => type)).toEqual(["store-failed", "signed-out"]);
  expect(await session.logout()).toMatchObject({ server: "unconfirmed" });
});
