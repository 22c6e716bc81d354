/** Renewal: its time, its callers, and tokens that arrive too late. */
import { describe, expect, it, vi } from "vitest";
import { memoryStore, type Renew } from "../src/index.ts";
import { serialize } from "../src/record.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import {
  BASE_URL,
  endings,
  expired,
  LOGOUT,
  only,
  REVOKE,
  recordsIn,
  renewAt,
  reopen,
  setup,
  storeDouble,
  TOKEN,
  useFakeTime,
  within,
} from "./support.ts";

/** A renewal that answers on request. */
function byHand() {
  const calls: { tokens: Parameters<Renew>[0]; signal: AbortSignal }[] = [];
  let answer: (tokens: Awaited<ReturnType<Renew>>) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const renew: Renew = (tokens, { signal }) => {
    calls.push({ tokens, signal });
    return new Promise((resolve, reject) => {
      answer = resolve;
      fail = reject;
    });
  };
  return {
    renew,
    calls,
    answer: (tokens: Awaited<ReturnType<Renew>>) => answer(tokens),
    fail: (error: unknown) => fail(error),
  };
}

const paths = (provider: ReturnType<typeof createSandboxApp>) => provider.requests.map(({ path }) => path);
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a 401 on a data call", () => {
  it("renews, replays the call once and stores the new tokens under the same id", async () => {
    const { provider, session, events, store, tokens } = await expired();
    const [before] = (await recordsIn(store)).live;
    const { response } = await session.client.GET("/v1/user");
    expect(response.status).toBe(200);
    expect(paths(provider)).toEqual(["/v1/user", TOKEN, "/v1/user"]);
    const [after] = (await recordsIn(store)).live;
    expect(after).toMatchObject({ id: before?.id, userId: tokens.userId, generation: 1 });
    expect(after?.tokens.accessToken).not.toBe(tokens.accessToken);
    expect(after?.tokens.refreshToken).not.toBe(tokens.refreshToken);
    expect(events.map(({ type }) => type)).toEqual(["started", "renewed"]);
  });

  it.each([
    ["a string", () => "the body"],
    ["a stream", () => new Blob(["the ", "body"]).stream()],
  ])("sends a body that is %s again with the replay", async (_, bodyOf) => {
    const { provider, session } = await expired();
    provider.misbehave({ path: "/v1/echo", status: 401, times: 1 });
    provider.misbehave({ path: "/v1/echo", status: 200, body: (request) => request.text() });
    const init = { method: "POST", body: bodyOf(), duplex: "half" };
    const response = await session.fetch(`${BASE_URL}/v1/echo`, init);
    expect(await response.text()).toBe("the body");
  });

  it("renews once for all calls, and replays each once", async () => {
    const { provider, session } = await expired();
    const answers = await Promise.all([1, 2, 3, 4].map(() => session.client.GET("/v1/user")));
    expect(answers.map(({ response }) => response.status)).toEqual([200, 200, 200, 200]);
    expect(paths(provider).filter((path) => path === TOKEN)).toHaveLength(1);
    expect(paths(provider).filter((path) => path === "/v1/user")).toHaveLength(8);
  });

  it("does not replay a call with the session that replaced its own", async () => {
    const hand = byHand();
    const { provider, session, startLogin } = await expired({ renew: hand.renew });
    session.subscribe(({ reason }) => {
      if (reason === "unauthorized") startLogin();
    });
    const call = session.client.GET("/v1/user");
    await vi.waitFor(() => expect(hand.calls).toHaveLength(1));
    hand.answer(null);
    expect((await call.catch(() => ({ response: { status: 0 } }))).response.status).not.toBe(200);
    expect(session.state).toBe("active");
    expect(paths(provider).filter((path) => path === "/v1/user")).toHaveLength(1);
  });

  it("spends a refresh token once in concurrent requests of a server, each with a session of its own", async () => {
    const records = memoryStore();
    const later = () => new Promise((resolve) => setTimeout(resolve, 5));
    const options = { store: storeDouble(later, records) };
    const { provider, session, startOAuth } = setup(options);
    const { accessToken } = await startOAuth();
    session.close();
    provider.expire(accessToken);
    // Longer than a tab waits for the tokens of another one.
    provider.misbehave({ path: TOKEN, delay: 300 });
    const request = () => {
      const own = { store: storeDouble(later, records), renew: renewAt(provider) };
      return setup(own, provider).session.client.GET("/v1/user");
    };
    const answers = await Promise.all([request(), request(), request()]);
    expect(answers.map(({ response }) => response.status)).toEqual([200, 200, 200]);
    expect(paths(provider).filter((path) => path === TOKEN)).toHaveLength(1);
  });

  it("spends a refresh token once, also where two records hold it", async () => {
    const store = memoryStore();
    const { provider, session, tokens } = await expired({ store });
    const live = only((await recordsIn(store)).live);
    const ending = { endpoint: "revoke", since: Date.now(), attempt: 0, until: 0 } as const;
    const accessToken = "example-access-token-before";
    for (const id of ["a", "b"])
      store.write(`ended.${id}`, serialize({ ...live, id, tokens: { ...live.tokens, accessToken }, ending }));
    store.write(`ended.${live.id}`, serialize({ ...live, tokens: undefined, ending }));
    await session.flush();
    expect(paths(provider).filter((path) => path === TOKEN)).toHaveLength(1);
    expect(provider.isAlive(tokens.refreshToken)).toBe(false);
  });

  it("replays a call with tokens that were renewed in the meantime", async () => {
    const { provider, session } = await expired();
    // The answer to the first call is in flight while the second renews.
    provider.misbehave({ path: "/v1/user", delay: 50, times: 1 });
    const late = session.client.GET("/v1/user");
    await session.client.GET("/v1/user");
    expect((await late).response.status).toBe(200);
    expect(paths(provider).filter((path) => path === TOKEN)).toHaveLength(1);
  });

  it("does not count tokens of another tab as a renewal, if the store answers later", async () => {
    const records = memoryStore();
    const slow = storeDouble(() => Promise.resolve(), records);
    const { provider, session } = await expired({ store: slow });
    const other = await reopen({ renew: renewAt(provider), store: records }, provider);
    provider.misbehave({ path: "/v1/user", status: 401, times: 1 });
    await other.session.client.GET("/v1/user");
    const [theirs] = (await recordsIn(records)).live;
    provider.expire(theirs?.tokens.accessToken ?? "");
    expect((await session.client.GET("/v1/user")).response.status).toBe(200);
    expect(paths(provider).filter((path) => path === TOKEN)).toHaveLength(2);
  });

  it.each([
    ["the replay also gets one", undefined, ["/v1/user", TOKEN, "/v1/user"]],
    ["the refresh token is refused", async () => null, ["/v1/user"]],
  ])("ends the session if %s, and delivers it whole", async (_, renew, sent) => {
    const { provider, session, store, events } = await expired({ renew });
    provider.misbehave({ path: "/v1/user", status: 401, body: '{"message":"no, and no"}' });
    const { response, error } = await session.client.GET("/v1/user");
    expect(response.status).toBe(401);
    expect(error).toEqual({ message: "no, and no" });
    expect(session.state).toBe("signed-out");
    expect(events.at(-1)).toEqual({ type: "signed-out", reason: "unauthorized" });
    expect(paths(provider)).toEqual(sent);
    expect(await recordsIn(store)).toMatchObject({ live: [], pending: [], over: [{}] });
  });

  it("keeps the session if the renewal is inconclusive, and is delivered whole", async () => {
    const hand = byHand();
    const { provider, session, tokens } = await expired({ renew: hand.renew });
    const call = session.client.GET("/v1/user");
    await turn();
    hand.fail(new Error("offline"));
    expect((await call).error).toEqual({ message: "Not authenticated" });
    expect(session.state).toBe("active");
    // The next call renews again.
    const again = session.client.GET("/v1/user");
    await turn();
    hand.answer({ accessToken: provider.authorize(tokens.userId).accessToken });
    expect((await again).response.status).toBe(200);
  });

  it("waits for a renewal at most for the timeout, and then aborts its signal", async () => {
    useFakeTime();
    const hand = byHand();
    const { session } = await expired({ renew: hand.renew });
    const call = session.client.GET("/v1/user");
    await vi.advanceTimersByTimeAsync(4_999);
    expect(hand.calls[0]?.signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await call).response.status).toBe(401);
    expect(hand.calls[0]?.signal.aborted).toBe(true);
    expect(session.state).toBe("active");
  });

  it("keeps the refresh token and the user if the renewal returns neither", async () => {
    const hand = byHand();
    const { provider, session, store, tokens } = await expired({ renew: hand.renew });
    const call = session.client.GET("/v1/user");
    await turn();
    const { accessToken } = provider.authorize(tokens.userId);
    hand.answer({ accessToken, refreshToken: undefined });
    await call;
    const { refreshToken, userId } = tokens;
    expect((await recordsIn(store)).live).toMatchObject([{ userId, tokens: { accessToken, refreshToken } }]);
  });

  it.each([undefined, { access_token: "access_token_example" }, { accessToken: "two words" }])(
    "rejects with the problem if the renewal resolves to %s",
    async (result) => {
      const { session } = await expired({ renew: async () => result as never });
      await expect(session.client.GET("/v1/user")).rejects.toMatchObject({
        code: "invalid-option",
        message: expect.stringMatching(
          /renew must resolve to tokens or null: accessToken (is missing|has blanks)/,
        ),
      });
      expect(session.state).toBe("active");
    },
  );

  it("ends a session without a refresh token", async () => {
    const hand = byHand();
    const { provider, session, startLogin } = setup({ renew: hand.renew });
    const { accessToken } = await startLogin();
    provider.expire(accessToken);
    expect((await session.client.GET("/v1/user")).response.status).toBe(401);
    expect(session.state).toBe("signed-out");
    expect(hand.calls).toEqual([]);
  });

  it("changes nothing if the session was replaced", async () => {
    const hand = byHand();
    const { provider, session, startOAuth } = await expired({ renew: hand.renew });
    const call = session.client.GET("/v1/user").catch(({ code }) => code);
    await turn();
    await startOAuth();
    expect(await call).toBe("session-ended");
    hand.answer(null);
    await turn();
    expect(session.state).toBe("active");
    expect(provider.isAlive(hand.calls[0]?.tokens.accessToken ?? "")).toBe(false);
  });

  it("does not replay the call of a caller that aborted it", async () => {
    const hand = byHand();
    const { provider, session, tokens } = await expired({ renew: hand.renew });
    const caller = new AbortController();
    const call = session.fetch(`${BASE_URL}/v1/user`, { signal: caller.signal }).catch(({ name }) => name);
    await turn();
    caller.abort();
    expect(await call).toBe("AbortError");
    hand.answer({ accessToken: provider.authorize(tokens.userId).accessToken });
    await turn();
    expect(paths(provider)).toEqual(["/v1/user"]);
    // The renewed tokens still count.
    expect((await session.client.GET("/v1/user")).response.status).toBe(200);
  });
});

describe("a renewal that finishes after an ending", () => {
  it("never becomes the session, and ends its tokens too", async () => {
    const hand = byHand();
    const { provider, session, events, store, tokens } = await expired({ renew: hand.renew });
    const call = session.client.GET("/v1/user").catch(({ code }) => code);
    await turn();
    const ending = session.logout();
    expect(await call).toBe("session-ended");
    // An ending does not abort a renewal: the refresh token may be spent already.
    expect(hand.calls[0]?.signal.aborted).toBe(false);
    const late = provider.addAccessToken(provider.authorize(tokens.userId).id);
    hand.answer({ accessToken: late });
    expect(await ending).toMatchObject({ server: "confirmed", local: "cleared" });
    expect(session.state).toBe("signed-out");
    expect(provider.isAlive(late)).toBe(false);
    expect(events.map(({ type }) => type)).toEqual(["started", "signed-out", "settled"]);
    expect(await recordsIn(store)).toMatchObject({ live: [], pending: [] });
  });

  it("passes its tokens to the revoke that waits for it", async () => {
    const { provider, session, tokens } = await expired();
    provider.misbehave({ path: TOKEN, delay: 50 });
    const call = session.client.GET("/v1/user").catch(({ code }) => code);
    await turn();
    const end = await session.revoke();
    expect(await call).toBe("session-ended");
    expect(end).toEqual({ endpoint: "revoke", server: "confirmed", local: "cleared" });
    expect(endings(provider)).toEqual([REVOKE, REVOKE]);
    expect(paths(provider).filter((path) => path === TOKEN)).toHaveLength(1);
    expect(provider.isAlive(tokens.refreshToken)).toBe(false);
  });

  it("leaves its tokens pending after the deadline of the revoke, for flush()", async () => {
    useFakeTime();
    const { provider, session, store } = await expired({ timeout: 1_000, renew: undefined });
    provider.misbehave({ path: TOKEN, delay: 3_000, times: 1 });
    // A renewal that ignores its signal.
    const exchange = renewAt(provider);
    const { signal } = new AbortController();
    const other = await reopen(
      { store, timeout: 1_000, renew: (tokens) => exchange(tokens, { signal }) },
      provider,
    );
    expect(await within(1_000, other.session.revoke())).toMatchObject({
      server: "unconfirmed",
      error: { code: "timeout" },
    });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(other.session.pending).toBe(0);
    expect(other.events.at(-1)?.end).toMatchObject({ server: "confirmed" });
    expect(session.state).toBe("active");
  });

  it("does not end a new authorization of the same user, and reports it", async () => {
    const hand = byHand();
    const { provider, session, events, startOAuth, tokens } = await expired({ renew: hand.renew });
    session.client.GET("/v1/user").catch(() => {});
    await turn();
    const ending = session.revoke();
    const late = provider.authorize(tokens.userId).accessToken;
    const next = await startOAuth();
    expect(await ending).toMatchObject({ server: "superseded" });
    hand.answer({ accessToken: late });
    await vi.waitFor(() => expect(events.at(-1)?.end?.server).toBe("superseded"));
    expect(provider.isAlive(next.accessToken)).toBe(true);
    expect((await session.client.GET("/v1/user")).response.status).toBe(200);
  });

  it("ends its tokens from memory if unconfirmed endings are discarded", async () => {
    const hand = byHand();
    const { provider, session, store, tokens } = await expired({
      renew: hand.renew,
      onUnconfirmed: "discard",
    });
    session.client.GET("/v1/user").catch(() => {});
    await turn();
    const ending = session.logout();
    const late = provider.authorize(tokens.userId).accessToken;
    hand.answer({ accessToken: late });
    expect(await ending).toMatchObject({ server: "confirmed" });
    expect(provider.isAlive(late)).toBe(false);
    expect(await recordsIn(store)).toMatchObject({ live: [], pending: [] });
  });
});

describe("revoke() with an expired access token", () => {
  it("renews once and retries", async () => {
    const { provider, session, tokens } = await expired();
    const end = await session.revoke();
    expect(end).toEqual({ endpoint: "revoke", server: "confirmed", local: "cleared" });
    expect(paths(provider)).toEqual([REVOKE, TOKEN, REVOKE]);
    expect(provider.isAlive(tokens.refreshToken)).toBe(false);
    expect(session.state).toBe("signed-out");
  });

  it("reports already-invalid if the refresh token is refused", async () => {
    const { session, store } = await expired({ renew: async () => null });
    const end = { endpoint: "revoke", server: "already-invalid", local: "cleared" };
    expect(await session.revoke()).toEqual(end);
    expect(await recordsIn(store)).toMatchObject({ live: [], pending: [], over: [{}] });
  });

  it("still reports the refresh token if a lost renewal may have spent it before", async () => {
    const { provider, session, tokens } = await expired({
      renew: async ({ refreshToken }, options) => {
        const result = await renewAt(provider)({ accessToken: "", refreshToken }, options);
        if (result) throw new Error("the connection broke before the answer");
        return result;
      },
    });
    await session.client.GET("/v1/user");
    expect(await session.revoke()).toMatchObject({
      server: "already-invalid",
      refreshToken: "may-be-valid",
    });
    expect(provider.isAlive(tokens.refreshToken)).toBe(false);
  });

  it("stays unconfirmed if the renewal is inconclusive, and keeps the refresh token", async () => {
    const { session, store, tokens } = await expired({
      renew: async () => Promise.reject(new Error("offline")),
    });
    expect(await session.revoke()).toMatchObject({
      server: "unconfirmed",
      local: "pending",
      error: { code: "unauthorized", status: 401 },
    });
    expect((await recordsIn(store)).pending[0]?.tokens.refreshToken).toBe(tokens.refreshToken);
  });

  it("stores the new pair before it retries", async () => {
    useFakeTime();
    const { provider, session, store, tokens } = await expired();
    provider.misbehave({ path: REVOKE, status: 401, times: 1 });
    provider.misbehave({ path: REVOKE, delay: "forever" });
    const ending = session.revoke();
    await vi.advanceTimersByTimeAsync(100);
    expect(endings(provider)).toEqual([REVOKE, REVOKE]);
    const [pending] = (await recordsIn(store)).pending;
    expect(provider.isAlive(pending?.tokens.accessToken ?? "")).toBe(true);
    expect(provider.isAlive(pending?.tokens.refreshToken ?? "")).toBe(true);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await ending).toMatchObject({ server: "unconfirmed", local: "pending" });
    expect((await recordsIn(store)).pending[0]?.tokens).toEqual(pending?.tokens);
    expect(pending?.userId).toBe(tokens.userId);
  });

  it.each([403, 498, 503])("does not renew at a %i, which does not concern the token", async (status) => {
    const renew = vi.fn(async () => null);
    const { provider, session } = await expired({ renew, retries: 0 });
    provider.misbehave({ path: REVOKE, status });
    expect(await session.revoke()).toMatchObject({ server: "unconfirmed", error: { status } });
    expect(renew).not.toHaveBeenCalled();
  });

  it("does not send a third request", async () => {
    const { provider, session } = await expired();
    provider.misbehave({ path: REVOKE, status: 401 });
    expect(await session.revoke()).toMatchObject({
      server: "unconfirmed",
      error: { code: "unauthorized" },
    });
    expect(paths(provider)).toEqual([REVOKE, TOKEN, REVOKE]);
  });

  it("stays unconfirmed with invalid-option if the renewal resolves to no tokens", async () => {
    const { session } = await expired({ renew: async () => ({}) as never });
    expect(await session.revoke()).toMatchObject({
      server: "unconfirmed",
      local: "pending",
      error: { code: "invalid-option" },
    });
  });

  it("finishes without renew and stays unconfirmed, because it cannot retry", async () => {
    const store = memoryStore();
    const { provider, session, events, startOAuth } = setup({ store });
    provider.expire((await startOAuth()).accessToken);
    const end = { server: "unconfirmed", local: "cleared", error: { code: "unauthorized" } };
    expect(await session.revoke()).toMatchObject(end);
    expect(session.pending).toBe(0);
    expect(await recordsIn(store)).toMatchObject({ live: [], pending: [], over: [{}] });
    expect(events.map(({ type }) => type)).toEqual(["started", "signed-out", "settled"]);
  });

  it("does not apply to logout(), which reports already-invalid", async () => {
    const { provider, session } = await expired();
    expect(await session.logout()).toMatchObject({ server: "already-invalid" });
    expect(paths(provider)).toEqual([LOGOUT]);
  });
});

describe("a token that is known to expire", () => {
  async function expiring(options: Parameters<typeof setup>[0] = {}) {
    useFakeTime();
    const provider = createSandboxApp();
    const store = memoryStore();
    const world = setup({ renew: renewAt(provider), store, ...options }, provider);
    const { id: _, ...tokens } = provider.authorize();
    await world.session.start({ ...tokens, grant: "oauth", expiresIn: 21_600 });
    return { ...world, store, tokens };
  }

  it("renews before a call in the last five minutes before the expiry", async () => {
    const { provider, session, store } = await expiring();
    vi.setSystemTime(Date.now() + 21_300_000 - 1);
    await session.client.GET("/v1/user");
    expect(paths(provider)).toEqual(["/v1/user"]);
    vi.setSystemTime(Date.now() + 1);
    expect((await session.client.GET("/v1/user")).response.status).toBe(200);
    expect(paths(provider)).toEqual(["/v1/user", TOKEN, "/v1/user"]);
    expect((await recordsIn(store)).live).toMatchObject([{ generation: 1 }]);
  });

  it("uses the token if the renewal fails, or without renew", async () => {
    for (const renew of [undefined, () => Promise.reject(new Error("offline"))]) {
      const { session } = await expiring({ renew });
      vi.setSystemTime(Date.now() + 21_300_000);
      expect((await session.client.GET("/v1/user")).response.status).toBe(200);
      vi.useRealTimers();
    }
  });

  it("renews again before the expiry of the renewed token", async () => {
    const hand = byHand();
    const { provider, session, store, tokens } = await expiring({ renew: hand.renew });
    vi.setSystemTime(Date.now() + 21_400_000);
    const call = session.client.GET("/v1/user");
    await vi.advanceTimersByTimeAsync(0);
    hand.answer({ accessToken: provider.authorize(tokens.userId).accessToken, expiresIn: 600 });
    expect((await call).response.status).toBe(200);
    expect((await recordsIn(store)).live[0]?.tokens.renewAt).toBe(Date.now() + 300_000);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, "21600"])("refuses %s seconds", async (expiresIn) => {
    const { session } = setup();
    const bad = { accessToken: "example", grant: "login", expiresIn } as never;
    await expect(session.start(bad)).rejects.toMatchObject({
      code: "invalid-option",
      message: expect.stringContaining("expiresIn must be a number of seconds above 0"),
    });
  });
});
