/** Never report more than is known: each case is the smallest of a kind that an earlier core got wrong. */
import { describe, expect, it, vi } from "vitest";
import { memoryStore, type SessionTokens, type TokenStore } from "../src/index.ts";
import { serialize } from "../src/record.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import {
  BASE_URL,
  endings,
  LOGOUT,
  REVOKE,
  recordOf,
  recordsIn,
  renewAt,
  reopen,
  setup,
  storeDouble,
  TOKEN,
  useFakeTime,
  within,
} from "./support.ts";
import { browser, twoTabs } from "./tabs.ts";

const USER = "/v1/user";

describe("storage that was cleared", () => {
  it.each(["end", "logout", "flush"] as const)("does not keep %s() from asking the server", async (call) => {
    for (const isPending of [false, true]) {
      const { provider, open, storage } = browser();
      const { session, startLogin } = open({ retries: 0 });
      const { accessToken } = await startLogin();
      if (isPending) {
        provider.misbehave({ path: LOGOUT, status: 503, times: 1 });
        expect(await session.end()).toMatchObject({ server: "unconfirmed", local: "pending" });
      }
      storage.clear();
      const result = await session[call]();
      if (isPending) expect([result].flat()).toMatchObject([{ server: "confirmed", local: "cleared" }]);
      await session.flush();
      expect(provider.isAlive(accessToken)).toBe(false);
      expect(endings(provider)).toHaveLength(isPending ? 2 : 1);
    }
  });

  it("never stops an attempt in flight", async () => {
    useFakeTime();
    const { provider, one, other, tokens, hear, storage } = await twoTabs();
    other.session.subscribe(({ type }) => void (type === "signed-out" && storage.clear()));
    provider.misbehave({ path: LOGOUT, status: 503, times: 1 });
    const ending = one.session.logout();
    hear();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await ending).toMatchObject({ server: "confirmed", local: "cleared" });
    expect(provider.isAlive(tokens.accessToken)).toBe(false);
  });
});

describe("an outcome of another tab", () => {
  const ways: [way: string, hears: boolean][] = [
    ["that was not notified of it", false],
    ["that was notified of it", true],
  ];
  it.each(ways)("asks again about an unconfirmed ending in a tab %s", async (_, hears) => {
    const options = { onUnconfirmed: "discard", retries: 0 } as const;
    const { provider, one, other, tokens, hear } = await twoTabs("login", options);
    provider.misbehave({ path: LOGOUT, status: 503, times: 1 });
    expect(await one.session.end()).toMatchObject({ server: "unconfirmed", local: "cleared" });
    if (hears) hear();
    expect(await other.session.end()).toEqual({ endpoint: "logout", server: "confirmed", local: "cleared" });
    expect(provider.isAlive(tokens.accessToken)).toBe(false);
  });

  it("does not report already-invalid there for a revoke that was refused without renew", async () => {
    useFakeTime();
    const { provider, one, other, tokens, hear } = await twoTabs("oauth");
    provider.expire(tokens.accessToken);
    const ending = one.session.end();
    hear();
    await vi.advanceTimersByTimeAsync(300);
    expect(await ending).toMatchObject({ server: "unconfirmed", error: { code: "unauthorized" } });
    hear();
    await vi.advanceTimersByTimeAsync(300);
    expect(other.events.at(-1)).toMatchObject({
      type: "settled",
      reason: "elsewhere",
      end: { server: "unconfirmed", error: { code: "elsewhere" }, refreshToken: "may-be-valid" },
    });
    expect(await within(300, other.session.end())).toMatchObject({
      server: "unconfirmed",
      error: { code: "unauthorized" },
    });
  });
});

it.each(['Basic realm="proxy"', "NTLM", "Negotiate"])(
  "leaves the session of a data call at the 401 of a gateway (%s)",
  async (challenge) => {
    const { provider, session, startLogin } = setup();
    await startLogin();
    provider.misbehave({ path: USER, status: 401, headers: { "www-authenticate": challenge }, times: 1 });
    expect((await session.fetch(USER)).status).toBe(401);
    expect(session.state).toBe("active");
    expect((await session.fetch(USER)).status).toBe(200);
  },
);

describe("requests with a token", () => {
  it("bypass HTTP caches, unless the caller asks for one", async () => {
    const caches: unknown[] = [];
    const provider = createSandboxApp();
    const fetch: typeof provider.fetch = (input, init) => {
      caches.push(init?.cache ?? (input as Request).cache);
      return provider.fetch(input, init);
    };
    const { session, probe, startLogin } = setup({ fetch }, provider);
    const { accessToken } = await startLogin();
    await session.fetch(USER);
    await session.client.GET(USER);
    await session.fetch(USER, { cache: "force-cache" });
    await probe({ accessToken });
    await session.end();
    expect(caches).toEqual(["no-store", "no-store", "force-cache", "no-store", "no-store"]);
  });

  it.each([
    "/v1/auth/login",
    "/v1/auth/login/otp",
    "/v1/auth/logout",
    "/v1/auth/oauth/revoke",
    "/V1/Auth/Login",
    "//v1/auth//login/",
    "/v1/auth/%6C%6F%67%69%6E?next=1",
  ])("are refused for %s, which begins or ends a session", async (path) => {
    const { provider, session, startLogin } = setup();
    await startLogin();
    await expect(session.fetch(`${BASE_URL}${path}`, { method: "POST" })).rejects.toMatchObject({
      code: "fenced-path",
      message: expect.stringMatching(/: use (createBindings|end)\(/),
    });
    expect(session.state).toBe("active");
    expect(provider.requests).toEqual([]);
  });

  it("get the 401 at once, also if its body never ends", async () => {
    const fetch = async () =>
      new Response(new ReadableStream({ pull: () => new Promise(() => {}) }), { status: 401 });
    const { session, startLogin } = setup({ fetch });
    await startLogin();
    expect((await session.fetch(USER)).status).toBe(401);
    expect(session.state).toBe("signed-out");
  });
});

it("reports a refresh token after a revoke until it is confirmed", async () => {
  const { session, startOAuth, provider } = setup({ retries: 0 });
  await startOAuth();
  provider.misbehave({ path: REVOKE, status: 503, times: 1 });
  expect(await session.end()).toMatchObject({ server: "unconfirmed", refreshToken: "may-be-valid" });
  expect((await session.flush())[0]).toEqual({ endpoint: "revoke", server: "confirmed", local: "cleared" });
});

describe("a store that is misread", () => {
  it("may hold a token after a write whose acknowledgement got lost", async () => {
    const memory = memoryStore();
    let calls = 0;
    const store: TokenStore = {
      ...memory,
      read: () => (calls > 2 ? Promise.reject(new Error("down")) : memory.read()),
      async write(key, text) {
        if (calls++ === 0) memory.write(key, text);
        throw new Error("the acknowledgement is lost");
      },
      remove: async () => {
        throw new Error("down");
      },
    };
    const { session, provider } = setup({ store });
    const tokens = provider.login();
    expect(await session.start({ ...tokens, grant: "login" })).toMatchObject({
      local: "failed",
      storeError: { code: "store-failed" },
    });
    expect(await session.end()).toMatchObject({
      server: "confirmed",
      local: "failed",
      storeError: { code: "store-failed" },
    });
    expect((await recordsIn(memory)).live).toHaveLength(1);
  });

  it("trusts the store's content after a successful read", async () => {
    let isDown = false;
    const store = storeDouble(({ method }) => {
      if (isDown && method !== "read") throw new Error("down");
    });
    const { session, startLogin } = setup({ store });
    await startLogin();
    isDown = true;
    expect(await session.end()).toMatchObject({ server: "confirmed", local: "failed" });
    isDown = false;
    await session.flush();
    expect(await recordsIn(store)).toMatchObject({ live: [], pending: [], over: [{ outcome: "confirmed" }] });
  });

  const misreads: [string, () => unknown][] = [
    ["a Map", () => new Map([["session.one", "{}"]])],
    ["a list", () => ["{}"]],
    ["JSON", () => '{"session.one":"{}"}'],
    ["buffers", () => ({ "session.one": Buffer.from("{}") })],
    ["null", () => null],
    ["undefined", () => undefined],
  ];
  it.each(misreads)("changes nothing by answering %s", async (_, answer) => {
    const memory = memoryStore();
    let isMisread = false;
    const store = { ...memory, read: () => (isMisread ? (answer() as never) : memory.read()) };
    const { provider, session, events, startLogin } = setup({ store });
    await startLogin();
    isMisread = true;
    await session.flush();
    expect(session.state).toBe("active");
    expect(endings(provider)).toEqual([]);
    expect(events.at(-1)).toMatchObject({ type: "store-failed", error: { code: "store-failed" } });
    const other = setup({ store }, provider);
    expect(await other.session.end()).toMatchObject({
      server: "unconfirmed",
      local: "failed",
      error: { code: "store-failed" },
      storeError: { code: "store-failed" },
    });
  });

  it("handles thousands of records in time proportional to their number", async () => {
    const work = async (count: number) => {
      const store = memoryStore();
      let calls = 0;
      for (let index = 0; index < count; index++) {
        const tokens = { accessToken: `example-token-${index}` };
        store.write(`session.${index}`, serialize(recordOf({ id: `${index}`, startedAt: index, tokens })));
      }
      const counted = storeDouble(() => void calls++, store);
      const fetch = () => Promise.reject(new Error("offline"));
      const { session } = await reopen({ store: counted, retries: 0, fetch });
      expect(session.state).toBe("active");
      expect(session.pending).toBe(count - 1);
      return calls;
    };
    // Each other record is written once as pending and removed once as live. The first endings need a few more calls.
    expect(await work(1_000)).toBeLessThan(1_000 * 2 + 60);
  });

  it("cannot lock out later sign-ins by a start in the far future", async () => {
    const store = memoryStore();
    store.write("session.far", serialize(recordOf({ id: "far", startedAt: 2 ** 53 })));
    const { session, startLogin } = await reopen({ store });
    await startLogin();
    expect(session.state).toBe("active");
    expect((await session.client.GET(USER)).response.status).toBe(200);
  });
});

describe("a clock", () => {
  const hour = 3_600_000;
  it.each([2 * hour, 720 * hour])(
    "that was %d ms ahead at the sign-out leaves nothing unsent",
    async (ahead) => {
      useFakeTime();
      const now = Date.now();
      const { provider, open } = browser();
      vi.setSystemTime(now + ahead);
      const one = open();
      const { accessToken } = await one.startLogin();
      provider.misbehave({ path: LOGOUT, delay: "forever", times: 1 });
      void one.session.end();
      one.close();
      vi.setSystemTime(now);
      let reads = 0;
      const other = open({
        wrap: (store) => storeDouble(({ method }) => void (method === "read" && reads++), store),
      });
      await Promise.all([other.session.ready(), vi.advanceTimersByTimeAsync(5_000)]);
      await vi.advanceTimersByTimeAsync(60_000);
      expect(provider.isAlive(accessToken)).toBe(false);
      expect(other.session.pending).toBe(0);
      expect(reads).toBeLessThan(10);
    },
  );

  it("sends an ending although the clock was behind at the sign-out", async () => {
    useFakeTime();
    const { provider, session, startLogin } = setup({ retries: 0 });
    const now = Date.now();
    vi.setSystemTime(now - 24 * hour);
    await startLogin();
    provider.misbehave({ path: LOGOUT, drop: true, times: 1 });
    await session.end();
    vi.setSystemTime(now);
    await session.flush();
    expect(endings(provider)).toHaveLength(2);
  });

  it("does not lengthen the timeout when it is set back", async () => {
    useFakeTime();
    const { session, startLogin } = setup({
      store: storeDouble(({ method }) => (method === "remove" ? new Promise(() => {}) : undefined)),
    });
    await startLogin();
    const onSettled = vi.fn();
    void session.end().then(onSettled);
    await vi.advanceTimersByTimeAsync(1_000);
    vi.setSystemTime(Date.now() - hour);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(onSettled).toHaveBeenCalled();
  });
});

describe("the wrong user", () => {
  it("never continues the session of another, and the tokens are ended", async () => {
    const provider = createSandboxApp();
    const second = provider.addUser({ email: "second@example.com" });
    let theirs: SessionTokens | undefined;
    const renew = async () => {
      const { id: _, ...tokens } = provider.authorize(second.id);
      theirs = tokens;
      return tokens;
    };
    const { session, events, startOAuth } = setup({ renew }, provider);
    const { accessToken } = await startOAuth();
    provider.expire(accessToken);
    await expect(session.client.GET(USER)).rejects.toMatchObject({ code: "invalid-option" });
    await vi.waitFor(() => expect(provider.isAlive(theirs?.accessToken ?? "")).toBe(false));
    expect(session.current?.userId).toBe(provider.user.id);
    expect(events.map(({ type }) => type)).toContain("renew-failed");
  });

  it("includes a user with the same id in another region", async () => {
    const { provider, open, hear } = browser();
    const [one, other] = [open({ region: "us" }), open()];
    await other.session.ready();
    await other.session.start({
      ...provider.login(undefined, "international"),
      userId: "42",
      grant: "login",
    });
    await one.session.ready();
    const { accessToken } = provider.login(undefined, "us");
    await one.session.start({ accessToken, userId: "42", grant: "login", region: "us" });
    hear([one, other]);
    expect(other.session.state).toBe("signed-out");
    expect(one.session.state).toBe("active");
  });
});

describe("a renewal", () => {
  it("renews a short-lived token at half of its lifetime, not at each call", async () => {
    useFakeTime();
    const provider = createSandboxApp();
    const { session } = setup({ renew: renewAt(provider) }, provider);
    const { id: _, ...tokens } = provider.authorize();
    await session.start({ ...tokens, grant: "oauth", expiresIn: 300 });
    const renewals = () => provider.requests.filter(({ path }) => path === TOKEN).length;
    for (let call = 0; call < 3; call++) await session.client.GET(USER);
    expect(renewals()).toBe(0);
    vi.setSystemTime(Date.now() + 150_000);
    await session.client.GET(USER);
    expect(renewals()).toBe(1);
  });

  it("emits an event when it rejects, and the session stays", async () => {
    const { provider, session, events, startOAuth } = setup({
      renew: () => Promise.reject(Object.assign(new Error("secret-example"), { code: "ECONNRESET" })),
    });
    const { accessToken } = await startOAuth();
    provider.expire(accessToken);
    expect((await session.fetch(USER)).status).toBe(401);
    expect(session.state).toBe("active");
    expect(events.at(-1)).toMatchObject({
      type: "renew-failed",
      error: { code: "network", cause: { code: "ECONNRESET" } },
    });
    expect(events.at(-1)?.error?.message).not.toContain("secret-example");
  });

  it("asks the server about a token whose renewal was refused before its expiry", async () => {
    useFakeTime();
    const provider = createSandboxApp();
    const { session, events } = setup({ renew: async () => null }, provider);
    const { id: _, ...tokens } = provider.authorize();
    await session.start({ ...tokens, grant: "oauth", expiresIn: 300 });
    vi.setSystemTime(Date.now() + 150_000);
    expect(
      await within(
        1_000,
        session.fetch(USER).catch(({ code }) => code),
      ),
    ).toBe("no-session");
    expect(session.state).toBe("signed-out");
    expect(provider.isAlive(tokens.accessToken)).toBe(false);
    expect(events.at(-1)).toMatchObject({ type: "settled", end: { server: "confirmed" } });
  });
});

it("delivers the 401 of a call whose listener starts a session", async () => {
  const { provider, session, startLogin } = setup();
  const { accessToken } = await startLogin();
  provider.expire(accessToken);
  const stop = session.subscribe(({ type }) => {
    if (type !== "signed-out") return;
    stop();
    void startLogin();
  });
  expect((await session.fetch(USER)).status).toBe(401);
  expect(session.state).toBe("active");
});

it("describes the current session without tokens, as the same object until it changes", async () => {
  const { provider, session, startLogin } = setup();
  expect(session.current).toBeUndefined();
  await startLogin();
  const { current } = session;
  expect(current).toEqual({
    id: expect.any(String),
    userId: provider.user.id,
    grant: "login",
    region: "international",
    startedAt: expect.any(Number),
  });
  expect(session.current).toBe(current);
  await session.end();
  expect(session.current).toBeUndefined();
});
