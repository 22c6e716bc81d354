/** The public calls of a session, and `endSession`: what they resolve to at the edges, and what they leave behind. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  endSession,
  memoryStore,
  probe,
  type Renew,
  type SessionTokens,
  type TokenStore,
} from "../src/index.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import {
  BASE_URL,
  endings,
  expired,
  LOGOUT,
  never,
  only,
  put,
  REVOKE,
  recordsIn,
  renewAt,
  setup,
  storeDouble,
  useFakeTime,
} from "./support.ts";

beforeEach(() => void useFakeTime());

describe("start() resolves to", () => {
  it.each([
    ["memory, without a store", undefined, { local: "memory" }],
    ["stored, if the store acknowledged the session", memoryStore(), { local: "stored" }],
    [
      "failed, if the store failed",
      storeDouble(({ method }) => {
        if (method === "write") throw new RangeError("quota");
      }),
      {
        local: "failed",
        storeError: expect.objectContaining({
          code: "store-failed",
          message: expect.stringContaining("write() of the store failed: RangeError"),
        }),
      },
    ],
    [
      "failed, if the store does not answer",
      storeDouble(({ method }) => (method === "write" ? never() : undefined)),
      {
        local: "failed",
        storeError: expect.objectContaining({ message: expect.stringContaining("did not answer in time") }),
      },
    ],
  ])("%s", async (_, store, expected) => {
    const { session, provider } = setup({ store });
    const started = session.start({ ...provider.login(), grant: "login" });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await started).toEqual(expected);
  });
});

describe("session.current", () => {
  it("stays one object until the session or its user changes, and never holds a token", async () => {
    const provider = createSandboxApp();
    const exchange = renewAt(provider);
    let userId: string | undefined;
    const renew: Renew = async (...args) => ({ ...((await exchange(...args)) as SessionTokens), userId });
    const { session } = setup({ renew }, provider);
    const { accessToken, refreshToken } = provider.authorize();
    await session.start({ accessToken, refreshToken, grant: "oauth" });
    const { current } = session;
    expect(current?.userId).toBeUndefined();
    const renewed = async () => {
      provider.misbehave({ path: "/v1/user", status: 401, times: 1 });
      await session.fetch("/v1/user");
      return session.current;
    };
    expect(await renewed()).toBe(current);
    userId = "example-user";
    expect(await renewed()).toEqual({ ...current, userId });
    const known = session.current;
    expect(await renewed()).toBe(known);
    await session.start({ ...provider.authorize(), userId, grant: "oauth" });
    expect(session.current?.id).not.toBe(known?.id);
    expect(JSON.stringify(session.current)).not.toMatch(/token/i);
  });
});

describe("a call that finds nothing to end", () => {
  it.each([
    ["end", "logout"],
    ["logout", "logout"],
    ["revoke", "revoke"],
  ] as const)("%s() names %s, also to a caller whose signal is aborted", async (call, endpoint) => {
    const { session, provider } = setup({ store: memoryStore() });
    expect(await session[call]()).toEqual({ endpoint, server: "no-session", local: "cleared" });
    expect(await session[call]({ signal: AbortSignal.abort() })).toMatchObject({
      endpoint,
      server: "unconfirmed",
      error: { code: "aborted" },
    });
    expect(endings(provider)).toEqual([]);
  });

  it("says so if the store does not answer", async () => {
    const { session } = setup({ store: { ...memoryStore(), read: never } });
    const end = session.end();
    await vi.advanceTimersByTimeAsync(5_000);
    const error = expect.objectContaining({
      code: "store-failed",
      message: expect.stringContaining("did not answer in time"),
    });
    expect(await end).toEqual({
      endpoint: "logout",
      server: "unconfirmed",
      local: "failed",
      error,
      storeError: error,
    });
    const flushed = session.flush();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await flushed).toEqual([]);
  });
});

it("closes without an exception before it was used, and twice", () => {
  const { session } = setup({ store: memoryStore() });
  session.close();
  expect(() => session.close()).not.toThrow();
});

describe("revoke() of a login", () => {
  const said = "revoke() is for OAuth sessions: use end()";
  it.each([
    ["explains a refusal", 400, "login", true],
    ["explains no wrong client key", 498, "login", false],
    ["does not explain a refusal of an authorization", 400, "oauth", false],
  ] as const)("%s", async (_, status, grant, isExplained) => {
    const { session, provider } = setup();
    const { accessToken } = provider.login();
    await session.start({ accessToken, grant });
    provider.misbehave({ path: REVOKE, status });
    const { error } = await session.revoke();
    expect(error?.message.includes(said)).toBe(isExplained);
    if (isExplained)
      expect(error?.message).toBe(`rejected: status 400, ${said} (docs/results-and-errors.md#rejected)`);
  });

  it("explains no refusal of logout(), and no network that is away", async () => {
    for (const [path, fault] of [
      [LOGOUT, { status: 400 }],
      [REVOKE, { drop: true }],
    ] as const) {
      const { session, provider } = setup({ retries: 0 });
      await session.start({ ...provider.login(), grant: "login" });
      provider.misbehave({ path, ...fault });
      const { error } = await session[path === LOGOUT ? "logout" : "revoke"]();
      expect(error?.message).not.toContain(said);
    }
  });
});

describe("a renewal", () => {
  it.each([
    ["ignores its signal", never],
    [
      "rejects at its signal",
      (_: unknown, { signal }: { signal: AbortSignal }) =>
        new Promise<never>((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    ],
  ])(
    "ends its wait after the timeout if renew %s: an event says so, and the session stays",
    async (_, renew) => {
      const { session, events } = await expired({ renew: renew as Renew });
      const call = session.fetch("/v1/user");
      await vi.advanceTimersByTimeAsync(5_000);
      expect((await call).status).toBe(401);
      expect(session.state).toBe("active");
      expect(events.filter(({ type }) => type === "renew-failed")).toMatchObject([
        { error: { code: "timeout" } },
      ]);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  it("reports the reason and the consequence if renew rejects", async () => {
    const { session, events } = await expired({
      renew: () => Promise.reject(new TypeError("example-secret")),
    });
    await session.fetch("/v1/user");
    const [error] = events.flatMap((event) => event.error ?? []);
    expect(error?.message).toMatch(/^network: renew\(\) rejected, so the session stays: TypeError \(docs/);
  });

  it("continues with another tab's tokens that arrive shortly after renew resolved to null", async () => {
    const { session, store, provider } = await expired({ renew: async () => null });
    const call = session.fetch("/v1/user");
    await vi.advanceTimersByTimeAsync(100);
    const { accessToken } = provider.authorize();
    await put(store, { ...only((await recordsIn(store)).live), generation: 1, tokens: { accessToken } });
    await vi.advanceTimersByTimeAsync(200);
    expect((await call).status).toBe(200);
    expect(session.state).toBe("active");
  });

  it.each([
    ["is over after a 401, and is not asked about", false, []],
    ["is ended if its token was only due", true, [{ endpoint: "revoke", server: "confirmed" }]],
  ] as const)("takes null for a refusal: the session %s", async (_, isDue, settled) => {
    const provider = createSandboxApp();
    const { session, events } = setup({ renew: async () => null, store: memoryStore() }, provider);
    const { id: __, ...tokens } = provider.authorize();
    await session.start({ ...tokens, grant: "oauth", expiresIn: isDue ? 1 : 21_600 });
    if (isDue) await vi.advanceTimersByTimeAsync(1_000);
    else provider.expire(tokens.accessToken);
    const call = session.fetch("/v1/user").catch(({ code }) => code);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await call).toBeDefined();
    expect(session.state).toBe("signed-out");
    await session.flush();
    const ends = events.filter(({ type }) => type === "settled").map(({ end }) => end);
    expect(ends).toMatchObject(settled);
    expect(endings(provider)).toHaveLength(settled.length);
  });

  it("leaves the ending of a session pending that was replaced before renew resolved to null", async () => {
    let refuse = (_: null) => {};
    const renew: Renew = () =>
      new Promise((resolve) => {
        refuse = resolve;
      });
    const { session, provider } = await expired({ renew });
    const call = session.fetch("/v1/user").catch(({ code }) => code);
    await vi.advanceTimersByTimeAsync(1);
    provider.misbehave({ path: REVOKE, status: 403 });
    await session.start({ ...provider.login(), userId: "example-other", grant: "login" });
    refuse(null);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await call).toBe("session-ended");
    expect(session.pending).toBe(1);
  });

  it("refuses tokens of another user, and ends them", async () => {
    const provider = createSandboxApp();
    const { session } = setup(
      {
        renew: async () => {
          const { id: _, ...other } = provider.authorize();
          return { ...other, userId: "example-other" };
        },
      },
      provider,
    );
    const { id: _, ...tokens } = provider.authorize();
    await session.start({ ...tokens, userId: "example-user", grant: "oauth" });
    provider.expire(tokens.accessToken);
    await expect(session.fetch("/v1/user")).rejects.toThrow(
      "renew() resolved to tokens of another user; they were ended",
    );
    expect(session.current?.userId).toBe("example-user");
  });

  it("names the problem once if renew resolves to something else", async () => {
    const { session } = await expired({ renew: async () => ({ accessToken: "two words" }) });
    await expect(session.fetch("/v1/user")).rejects.toThrow(
      "invalid-option: renew must resolve to tokens or null: accessToken has blanks: trim it and pass one token (docs/results-and-errors.md#invalid-option)",
    );
  });

  it("leaves no turn behind", async () => {
    const { session } = await expired();
    await session.fetch("/v1/user");
    await vi.advanceTimersByTimeAsync(5_000);
    const holder = globalThis as { [key: symbol]: Map<string, unknown> | undefined };
    expect(holder[Symbol.for("baanx-session.renewals")]?.size).toBe(0);
  });
});

describe("a data call", () => {
  it.each([
    ["login", "already-invalid"],
    ["oauth", "unconfirmed"],
  ] as const)("ends a session of grant %s after a 401: %s", async (grant, outcome) => {
    const store = memoryStore();
    const { session, provider } = setup({ store });
    await session.start({ accessToken: "example-dead-token", grant });
    expect((await session.fetch("/v1/user")).status).toBe(401);
    expect(session.state).toBe("signed-out");
    expect((await recordsIn(store)).over).toMatchObject([{ outcome }]);
    expect(endings(provider)).toEqual([]);
  });

  /** A session whose tokens another process renews before each answer. */
  async function renewedElsewhere(times: number) {
    const store = memoryStore();
    const provider = createSandboxApp();
    const renew = vi.fn<Renew>(async () => null);
    const fetch: typeof globalThis.fetch = async (...call) => {
      const response = await provider.fetch(...call);
      const [record] = (await recordsIn(store)).live;
      if (times-- > 0 && record) {
        const generation = record.generation + 1;
        const tokens = { accessToken: `example-token-${generation}`, refreshToken: "example-refresh" };
        await put(store, { ...record, generation, tokens });
      }
      return response;
    };
    const world = setup({ store, fetch, renew }, provider);
    await world.startOAuth();
    provider.misbehave({ path: "/v1/user", status: 401, body: "{}" });
    return { ...world, renew };
  }

  it("sends a call again with the tokens of another tab, without a renewal", async () => {
    const { session, provider, renew } = await renewedElsewhere(3);
    expect((await session.fetch("/v1/user")).status).toBe(401);
    expect(provider.requests.map(({ authorization }) => authorization?.slice(7)).slice(1)).toEqual([
      "example-token-1",
      "example-token-2",
    ]);
    expect(renew).not.toHaveBeenCalled();
    expect(session.state).toBe("active");
  });

  it("resolves a relative path with a URL in its query, and fences a path below the base", async () => {
    const provider = createSandboxApp();
    const { session } = setup({ baseUrl: `${BASE_URL}/base` }, provider);
    await session.start({ ...provider.login(), grant: "login" });
    await session.fetch("v1/user?next=https://example.com/");
    expect(provider.requests.at(-1)?.path).toBe("/base/v1/user");
    for (const path of ["v1/auth/logout", `${BASE_URL}/v1/auth/logout`])
      await expect(session.fetch(path)).rejects.toMatchObject({ code: "fenced-path" });
  });

  it("aborts with its session, and for its caller also while the body arrives", async () => {
    const signals: (AbortSignal | null | undefined)[] = [];
    const provider = createSandboxApp();
    const fetch: typeof globalThis.fetch = (input, init) => {
      signals.push(init?.signal);
      return provider.fetch(input, init);
    };
    const { session, startLogin } = setup({ fetch }, provider);
    await startLogin();
    provider.misbehave({ path: "/v1/user", trickle: 1, times: 1 });
    const caller = new AbortController();
    const response = await session.fetch("/v1/user", { signal: caller.signal });
    const body = expect(response.text()).rejects.toThrow();
    caller.abort();
    await vi.advanceTimersByTimeAsync(1_000);
    await body;
    provider.misbehave({ path: "/v1/user", delay: 1_000 });
    const call = expect(session.fetch("/v1/user")).rejects.toMatchObject({ code: "session-ended" });
    await session.end();
    await call;
    expect(signals[1]?.aborted).toBe(true);
  });
});

describe("a store that fails", () => {
  it("causes one event for each kind of call, with the problem of its answer", async () => {
    const store = { ...memoryStore(), read: () => [] as never, write: () => Promise.reject(new Error("x")) };
    const { session, events, startLogin } = setup({ store });
    await session.ready();
    await startLogin();
    await session.flush();
    await session.flush();
    const messages = events.flatMap(({ type, error }) => (type === "store-failed" ? [error?.message] : []));
    expect(messages).toEqual([
      expect.stringContaining("read() of the store failed: the answer is not a plain object of strings"),
      expect.stringContaining("write() of the store failed: Error"),
    ]);
  });

  it("causes another event if it fails again after a success", async () => {
    let isAway = true;
    const store = storeDouble(({ method }) => {
      if (isAway && method !== "remove") throw new Error("away");
    });
    const { session, events, provider } = setup({ store });
    const failed = () => events.filter(({ type }) => type === "store-failed").length;
    const start = () => session.start({ ...provider.login(), grant: "login" });
    await session.ready();
    await start();
    expect(failed()).toBe(2);
    isAway = false;
    await session.flush();
    isAway = true;
    await session.flush();
    await session.end();
    expect(failed()).toBe(4);
  });

  it.each([
    ["answers reads at once", (memory: TokenStore) => memory, 1],
    ["answers reads later", (memory: TokenStore) => ({ ...memory, read: async () => memory.read() }), 0],
    [
      "answers writes later",
      (memory: TokenStore) => ({
        ...memory,
        write: async (key: string, text: string) => memory.write(key, text),
      }),
      1,
    ],
  ])("makes start() read again only if it %s", async (_, storeOver, reads) => {
    let count = 0;
    const store = storeOver(storeDouble(({ method }) => void (method === "read" && count++)));
    const { session, provider } = setup({ store });
    await session.start({ ...provider.login(), userId: "u", grant: "login" });
    const before = count;
    await session.start({ ...provider.login(), userId: "u", grant: "login" });
    expect(count - before).toBe(reads);
  });

  it.each([
    ["write", "pending"],
    ["remove", "pending"],
  ] as const)("leaves local pending to a caller who stops waiting for its %s", async (slow, local) => {
    const store = storeDouble(({ method }) => (method === slow ? never() : undefined));
    const memory = setup({ store });
    const { session, provider } = memory;
    void session.start({ ...provider.login(), grant: "login" });
    const caller = new AbortController();
    const end = session.end({ signal: caller.signal });
    caller.abort();
    expect(await end).toMatchObject({ server: "unconfirmed", local, error: { code: "aborted" } });
  });

  /** A store whose writes of some keys take effect, while their acknowledgements get lost. */
  function losing(isLost: (key: string) => boolean) {
    const memory = memoryStore();
    const write = (key: string, text: string) => {
      memory.write(key, text);
      if (isLost(key)) throw new Error("lost");
    };
    return { ...memory, write };
  }

  it("repeats a failed write of a tombstone", async () => {
    let left = 1;
    const store = storeDouble(({ method, text }) => {
      if (method === "write" && text.includes("outcome") && left-- > 0) throw new Error("away");
    });
    const { session, startLogin } = setup({ store });
    await startLogin();
    expect(await session.end()).toMatchObject({ server: "confirmed", local: "cleared" });
    expect((await recordsIn(store)).over).toHaveLength(1);
  });

  it("makes an ending failed while its last write is not acknowledged, until a read or a later call", async () => {
    let writes = 0;
    const store = losing((key) => key.startsWith("ended") && ++writes > 1 && writes < 4);
    const { session, provider, startLogin } = setup({ store, retries: 0 });
    await startLogin();
    provider.misbehave({ path: LOGOUT, status: 503, times: 2 });
    expect(await session.end()).toMatchObject({ server: "unconfirmed", local: "failed" });
    expect(await session.flush()).toMatchObject([{ server: "unconfirmed", local: "pending" }]);
  });

  it("keeps a session whose key disappears after a write without an acknowledgement", async () => {
    const provider = createSandboxApp();
    let isAway = false;
    const store = losing(() => isAway);
    const { session, startOAuth } = setup({ store, renew: renewAt(provider) }, provider);
    const { accessToken } = await startOAuth();
    isAway = true;
    provider.expire(accessToken);
    await session.fetch("/v1/user");
    for (const key of Object.keys(await store.read())) store.remove(key);
    isAway = false;
    await session.flush();
    expect(session.state).toBe("active");
    expect((await recordsIn(store)).live).toMatchObject([{ generation: 1 }]);
  });

  it("makes end() unconfirmed if a string is not understood, and nothing else is known", async () => {
    const store = memoryStore();
    await store.write("session.x", "not a record");
    const { session, provider } = setup({ store });
    const unknown = expect.objectContaining({
      message: expect.stringContaining("not a record of this version"),
    });
    expect(await session.end()).toEqual({
      endpoint: "logout",
      server: "unconfirmed",
      local: "failed",
      error: unknown,
      storeError: unknown,
    });
    await session.start({ ...provider.login(), grant: "login" });
    expect(await session.end()).toEqual({ endpoint: "logout", server: "confirmed", local: "cleared" });
    expect(Object.keys(await store.read())).toContain("session.x");
  });
});

describe("without a session object", () => {
  const world = () => {
    const provider = createSandboxApp();
    const { clientKey, fetch } = provider;
    return { provider, options: { baseUrl: BASE_URL, clientKey, fetch } };
  };

  it.each([
    ["endSession()", LOGOUT],
    ["probe()", "/v1/user"],
  ])("%s retries as a session does", async (name, path) => {
    const { provider, options } = world();
    const { accessToken } = provider.login();
    provider.misbehave({ path, status: 503, times: 2 });
    const asked =
      name === "probe()"
        ? probe({ ...options, retries: 2 }, { accessToken })
        : endSession(options, { accessToken, grant: "login" });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await asked).toEqual(name === "probe()" ? "active" : { endpoint: "logout", server: "confirmed" });
    expect(provider.requests).toHaveLength(3);
  });
});
