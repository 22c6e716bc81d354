/** One ending: the fence, the record, the request, the deadline, and shared calls. */
import { getEventListeners } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { memoryStore } from "../src/index.ts";
import {
  BASE_URL,
  endings,
  LOGOUT,
  only,
  REVOKE,
  recordOf,
  recordsIn,
  type StoreCall,
  setup,
  storeDouble,
  useFakeTime,
  within,
} from "./support.ts";

describe("an ending", () => {
  it("sends one request if the server answers 200, and ends the token there", async () => {
    const { provider, session, startLogin, events } = setup();
    const { accessToken } = await startLogin();
    const end = await session.logout();
    expect(end).toEqual({ endpoint: "logout", server: "confirmed", local: "cleared" });
    expect(provider.isAlive(accessToken)).toBe(false);
    expect(provider.requests).toHaveLength(1);
    expect(events.map(({ type, reason }) => [type, reason])).toEqual([
      ["started", undefined],
      ["signed-out", "ended"],
      ["settled", undefined],
    ]);
  });

  it("uses the endpoint of the grant for end()", async () => {
    const { provider, session, startLogin, startOAuth } = setup();
    await startLogin();
    await session.end();
    const { refreshToken } = await startOAuth();
    await session.end();
    expect(endings(provider)).toEqual([LOGOUT, REVOKE]);
    expect(provider.isAlive(refreshToken)).toBe(false);
  });

  it("uses the named endpoint for logout() and revoke(), regardless of the grant", async () => {
    const { provider, session, startLogin, startOAuth } = setup();
    await startOAuth();
    expect((await session.logout()).endpoint).toBe("logout");
    await startLogin();
    expect((await session.revoke()).endpoint).toBe("revoke");
    expect(endings(provider)).toEqual([LOGOUT, REVOKE]);
  });

  it("signs the user out and calls fetch before it returns: with keepalive, without cookies and redirects", async () => {
    const sent: Request[] = [];
    const { provider, session, startLogin } = setup({
      fetch: (input, init) => {
        sent.push(new Request(input, init));
        return provider.fetch(input, init);
      },
    });
    await startLogin();
    const ending = session.logout();
    // Code in the same task, such as `location.href = "/login"`, finds the request in flight.
    expect(session.state).toBe("signed-out");
    const init = { method: "POST", keepalive: true, credentials: "omit", redirect: "manual" };
    expect(only(sent)).toMatchObject({ url: `${BASE_URL}${LOGOUT}`, ...init });
    await ending;
  });

  it("stores the ending before it calls fetch", async () => {
    const steps: string[] = [];
    const { provider, session, startLogin } = setup({
      store: storeDouble(({ method, key, text }) => {
        const kind = key.split(".")[0];
        if (method !== "read")
          steps.push(`${method} ${kind}${text && !text.includes("tokens") ? ", over" : ""}`);
      }),
      fetch: (input, init) => {
        steps.push("fetch");
        return provider.fetch(input, init);
      },
    });
    await startLogin();
    await session.logout();
    expect(steps).toEqual(["write session", "write ended", "remove session", "fetch", "write ended, over"]);
  });

  it("reports no-session without a session, and sends no request", async () => {
    const { provider, session } = setup();
    expect(await session.logout()).toEqual({ endpoint: "logout", server: "no-session", local: "cleared" });
    expect(await session.revoke()).toEqual({ endpoint: "revoke", server: "no-session", local: "cleared" });
    expect(await session.end()).toEqual({ endpoint: "logout", server: "no-session", local: "cleared" });
    expect(provider.requests).toEqual([]);
  });

  it("stores the access token only, without renew", async () => {
    const store = memoryStore();
    const { provider, session, startOAuth } = setup({ store });
    const { accessToken } = await startOAuth();
    provider.misbehave({ status: 403 });
    await session.end();
    const { live, pending } = await recordsIn(store);
    expect(live).toEqual([]);
    expect(pending).toEqual([
      recordOf({
        ...{ id: expect.any(String), grant: "oauth", userId: provider.user.id },
        ...{ startedAt: expect.any(Number), hasRefreshToken: true, tokens: { accessToken } },
        ending: { endpoint: "revoke", since: expect.any(Number), attempt: 1, until: 0 },
      }),
    ]);
  });
});

describe("the deadline", () => {
  const hung: [name: string, isIt: (call: StoreCall) => boolean][] = [
    ["the write of an ending", ({ text }) => text.includes("tokens")],
    ["the write of its end", ({ method, text }) => method === "write" && !text.includes("tokens")],
    ["a removal", ({ method }) => method === "remove"],
  ];

  it.each(hung)("holds if the store never answers %s", async (_, isIt) => {
    let isHung = false;
    const store = storeDouble((call) => (isHung && isIt(call) ? new Promise(() => {}) : undefined));
    const { session, startLogin } = setup({ store });
    await startLogin();
    useFakeTime();
    isHung = true;
    const onEnd = vi.fn();
    session.logout().then(onEnd);
    expect(session.state).toBe("signed-out");
    await vi.advanceTimersByTimeAsync(4_999);
    expect(onEnd).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    // The server is asked anyway: its answer does not depend on the store.
    const storeError = { code: "store-failed" };
    expect(onEnd.mock.calls).toMatchObject([[{ server: "confirmed", local: "failed", storeError }]]);
  });

  it.each([
    { name: "answers never", fault: { delay: "forever" } },
    { name: "trickles its body", fault: { trickle: 1_000 } },
    { name: "is slow with each attempt", fault: { status: 503, delay: 2_400 } },
  ] as const)("holds if the server $name", async ({ fault }) => {
    const { provider, session, startLogin } = setup({ timeout: 4_000 });
    await startLogin();
    provider.misbehave(fault);
    useFakeTime();
    const begun = Date.now();
    const ending = session.logout();
    await vi.advanceTimersByTimeAsync(4_000);
    const error = { code: "timeout" };
    expect(await ending).toMatchObject({ server: "unconfirmed", local: "pending", error });
    expect(Date.now() - begun).toBe(4_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("holds if an injected fetch ignores its signal, which is aborted", async () => {
    const signals: (AbortSignal | null | undefined)[] = [];
    const { session, startLogin } = setup({
      fetch: (_, init) => {
        signals.push(init?.signal);
        return new Promise(() => {});
      },
    });
    await startLogin();
    useFakeTime();
    expect((await within(5_000, session.logout())).error?.code).toBe("timeout");
    expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
  });

  it("does not abort an answered request, and leaves no timer behind", async () => {
    const signals: (AbortSignal | null | undefined)[] = [];
    const { provider, session, startLogin } = setup({
      fetch: (input, init) => {
        signals.push(init?.signal);
        return provider.fetch(input, init);
      },
    });
    await startLogin();
    useFakeTime();
    await session.logout();
    expect(signals.map((signal) => signal?.aborted)).toEqual([false]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a retry", () => {
  const waits = async (fault: object, advance: number, options = {}) => {
    const { provider, session, startLogin } = setup(options);
    await startLogin();
    useFakeTime();
    const at: number[] = [];
    const begun = Date.now();
    provider.misbehave({
      handled: false,
      body: () => {
        at.push(Date.now() - begun);
        return "";
      },
      ...fault,
    });
    const ending = session.logout();
    await vi.advanceTimersByTimeAsync(advance);
    const end = await Promise.race([ending, Promise.resolve(undefined)]);
    return { at, end, provider, ending };
  };

  it("backs off by 125 to 250 ms, then twice that", async () => {
    const random = vi.spyOn(Math, "random");
    for (const [value, expected] of [
      [0, [0, 125, 375]],
      [0.999999, [0, 250, 750]],
    ] as const) {
      random.mockReturnValue(value);
      const { at, end } = await waits({ status: 503 }, 2_000);
      expect(at.map((ms) => Math.round(ms / 5) * 5)).toEqual(expected);
      expect(end?.error).toMatchObject({ code: "server-error", status: 503 });
    }
    random.mockRestore();
  });

  it.each([0, 1, 4])("happens %i times if configured", async (retries) => {
    const { at } = await waits({ status: 500 }, 5_000, { retries, timeout: 60_000 });
    await vi.advanceTimersByTimeAsync(55_000);
    expect(at).toHaveLength(retries + 1);
  });

  it.each([429, 503])("waits for the seconds of Retry-After after a %i", async (status) => {
    const fault = { status, headers: { "retry-after": "12" } };
    const { at, end } = await waits(fault, 25_000, { timeout: 60_000 });
    expect(at).toEqual([0, 12_000, 24_000]);
    expect(end?.error?.retryAfter).toBe(12_000);
  });

  it("waits for the HTTP date of Retry-After", async () => {
    const { provider, session, startLogin } = setup();
    await startLogin();
    useFakeTime();
    const now = Math.ceil(Date.now() / 1_000) * 1_000;
    vi.setSystemTime(now);
    const date = new Date(now + 3_000).toUTCString();
    provider.misbehave({ status: 429, headers: { "retry-after": date }, times: 1 });
    const ending = session.logout();
    await vi.advanceTimersByTimeAsync(2_999);
    expect(endings(provider)).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect((await ending).server).toBe("confirmed");
  });

  it("does not wait for a date in the past, and ignores an invalid value", async () => {
    const past = new Date(0).toUTCString();
    const { at } = await waits({ status: 429, headers: { "retry-after": past } }, 100);
    expect(at).toHaveLength(3);
    expect(at[2]).toBeLessThan(5);
    for (const nonsense of ["soon", "1.5", "-1", "2, 3", "Wed, 21 Oct", "Xyz GMT"]) {
      const fault = { status: 429, headers: { "retry-after": nonsense } };
      const { at: backedOff, end } = await waits(fault, 1_000);
      expect(backedOff[1], nonsense).toBeGreaterThanOrEqual(125);
      expect(end?.error?.retryAfter).toBeUndefined();
    }
  });

  it("does not wait beyond the deadline", async () => {
    const { at, end } = await waits({ status: 429, headers: { "retry-after": "5" } }, 0);
    expect(at).toEqual([0]);
    expect(end).toMatchObject({ server: "unconfirmed", error: { code: "rate-limited", retryAfter: 5_000 } });
  });

  it("confirms the ending at a later attempt", async () => {
    const { at, end } = await waits({ status: 502, times: 2 }, 2_000);
    expect(at).toHaveLength(2);
    expect(end).toEqual({ endpoint: "logout", server: "confirmed", local: "cleared" });
  });

  it("treats the 401 of a second attempt as the end if the first answer was lost", async () => {
    const { provider, session, startLogin } = setup();
    await startLogin();
    useFakeTime();
    provider.misbehave({ drop: true, handled: true, times: 1 });
    expect(await within(300, session.logout())).toEqual({
      endpoint: "logout",
      server: "already-invalid",
      local: "cleared",
    });
  });
});

describe("concurrent calls", () => {
  it("share one request and one result, regardless of their names", async () => {
    const { provider, session, startLogin } = setup();
    await startLogin();
    const ends = await Promise.all([session.logout(), session.revoke(), session.end(), session.logout()]);
    expect(endings(provider)).toEqual([LOGOUT]);
    for (const end of ends) expect(end).toEqual(ends[0]);
  });

  it.each([
    ["keep", "pending"],
    ["discard", "cleared"],
  ] as const)("return early only to an aborted caller, onUnconfirmed: %s", async (onUnconfirmed, local) => {
    const { provider, session, startLogin } = setup({ onUnconfirmed });
    await startLogin();
    useFakeTime();
    provider.misbehave({ delay: 1_000 });
    const leaving = new AbortController();
    const left = session.logout({ signal: leaving.signal });
    const staying = session.logout();
    leaving.abort();
    expect(await left).toMatchObject({ server: "unconfirmed", local, error: { code: "aborted" } });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await staying).toEqual({ endpoint: "logout", server: "confirmed", local: "cleared" });
  });

  it("never abort the request if a caller aborts, before or after it", async () => {
    useFakeTime();
    for (const signal of [AbortSignal.abort(), undefined]) {
      const { provider, session, startLogin } = setup();
      const { accessToken } = await startLogin();
      provider.misbehave({ delay: 20 });
      const caller = new AbortController();
      const ending = session.logout({ signal: signal ?? caller.signal });
      caller.abort();
      const error = { code: "aborted" };
      expect(await ending).toMatchObject({ server: "unconfirmed", local: "pending", error });
      expect(session.state).toBe("signed-out");
      await vi.advanceTimersByTimeAsync(20);
      expect(session.pending).toBe(0);
      expect(provider.isAlive(accessToken)).toBe(false);
    }
  });

  it("leave no listener on a caller's long-lived signal", async () => {
    const { session, startLogin } = setup();
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    await startLogin();
    await session.logout({ signal });
    expect(added).toHaveBeenCalled();
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("do not share with the ending of an earlier session", async () => {
    const { provider, session, startLogin } = setup();
    await startLogin();
    const first = session.logout();
    await startLogin();
    const second = session.logout();
    expect(await first).not.toBe(await second);
    expect(endings(provider)).toHaveLength(2);
  });
});
