/** Several tabs over one web storage: a change in one tab reaches the others, and none undoes it. */
import { describe, expect, it, vi } from "vitest";
import { memoryStore, type TokenStore } from "../src/index.ts";
import { serialize } from "../src/record.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import {
  endings,
  LOGOUT,
  only,
  REVOKE,
  recordOf,
  renewAt,
  reopen,
  setup,
  storeDouble,
  stubGlobals,
  TOKEN,
  useFakeTime,
  within,
} from "./support.ts";
import { browser, type Tab, twoTabs } from "./tabs.ts";

/** Two tabs with one session, which renew. */
function two(grant: "login" | "oauth" = "login", options: { renew?: undefined } = {}) {
  const provider = createSandboxApp();
  return twoTabs(grant, { renew: renewAt(provider), ...options }, provider);
}

/** Two tabs with one session. One is notified of each write of the other before the next write. */
async function oneHearingInBetween() {
  const { provider, open, hear, records } = browser();
  const one = open();
  const other = open({ wrap: (store) => storeDouble(() => one.hear(), store) });
  await Promise.all([one.session.ready(), other.session.ready()]);
  await one.startLogin();
  hear([one, other]);
  return { provider, one, other, records, hear: () => hear([one, other]) };
}

const told = ({ events }: Tab) => events.map(({ type, reason }) => (reason ? `${type} ${reason}` : type));

it("keeps the token in the store until its ending is stored or confirmed", async () => {
  const { provider, open, hear } = browser();
  const full = (store: TokenStore) =>
    storeDouble(({ method, key }) => {
      if (method === "write" && key.startsWith("ended.")) throw new Error("QuotaExceededError");
    }, store);
  const [one, other] = [open({ wrap: full }), open()];
  const { accessToken } = await one.startLogin();
  await other.session.ready();
  expect(other.session.state).toBe("active");
  const ending = one.session.logout();
  hear([one, other]);
  expect(await ending).toMatchObject({ server: "confirmed", local: "cleared" });
  hear([one, other]);
  expect(other.session.state).toBe("signed-out");
  expect(provider.isAlive(accessToken)).toBe(false);
});

describe("a start in one tab", () => {
  it("ends in another tab, also if all happens in one millisecond", async () => {
    useFakeTime();
    const { provider, one, other } = await two("oauth");
    const next = await other.startOAuth();
    expect(await one.session.end()).toMatchObject({ server: "confirmed" });
    expect(one.session.state).toBe("signed-out");
    expect(provider.isAlive(next.accessToken)).toBe(false);
  });

  it.each(["end", "logout", "revoke"] as const)(
    "ends by %s() in a tab of the same user that was not notified of it",
    async (call) => {
      const { provider, one, other, hear } = await two("oauth");
      const next = await other.startOAuth();
      // This tab still shows the previous session.
      const end = await one.session[call]();
      expect(end).toMatchObject({ server: "confirmed", local: "cleared" });
      expect(one.session.state).toBe("signed-out");
      expect(provider.isAlive(next.accessToken)).toBe(false);
      hear();
      expect([one.session.state, other.session.state]).toEqual(["signed-out", "signed-out"]);
    },
  );

  it("ends in a tab that has shown no session yet", async () => {
    const { provider, other, open } = await two();
    const late = open();
    await late.session.ready();
    await other.session.end();
    const fresh = open();
    await fresh.session.ready();
    const next = await other.startLogin(provider.addUser({ email: "second@example.com" }).id);
    expect(await fresh.session.end()).toMatchObject({ server: "confirmed" });
    expect(fresh.session.state).toBe("signed-out");
    expect(provider.isAlive(next.accessToken)).toBe(false);
  });

  it("stays live for another user when a tab ends its own session without being notified", async () => {
    const { provider, one, other } = await two();
    const next = await other.startLogin(provider.addUser({ email: "second@example.com" }).id);
    expect(await one.session.end()).toMatchObject({ local: "cleared" });
    expect(one.session.state).toBe("signed-out");
    expect(other.session.state).toBe("active");
    expect(provider.isAlive(next.accessToken)).toBe(true);
  });

  it("survives an earlier ending of its own tab, once the store can be read", async () => {
    const { provider, open } = browser();
    let isBroken = true;
    const wrap = (store: TokenStore) =>
      storeDouble(({ method }) => {
        if (method === "read" && isBroken) throw new Error("a broken store");
      }, store);
    const [one, other] = [open({ wrap }), open()];
    await other.startOAuth();
    expect(await one.session.end()).toMatchObject({ server: "unconfirmed", local: "failed" });
    isBroken = false;
    const next = await one.startOAuth();
    await one.session.flush();
    expect(provider.isAlive(next.accessToken)).toBe(true);
    expect(endings(provider)).toEqual([]);
  });

  it("starts the session in the other tabs", async () => {
    const { one, other } = await two();
    expect(other.session.state).toBe("active");
    expect(told(other)).toEqual(["signed-out", "started"]);
    expect((await other.session.client.GET("/v1/user")).response.status).toBe(200);
    expect(told(one)).toEqual(["signed-out", "started"]);
  });

  it("gives no token of another user to the other tabs", async () => {
    const { provider, one, other, hear } = await two();
    const second = provider.addUser({ email: "second@example.com" });
    provider.misbehave({ path: "/v1/user", delay: "forever", times: 1 });
    const inFlight = one.session.client.GET("/v1/user").catch(({ code }) => code);
    const { accessToken } = await other.startLogin(second.id);
    hear();
    expect(await inFlight).toBe("session-ended");
    expect(one.session.state).toBe("signed-out");
    expect(told(one).at(-1)).toBe("signed-out elsewhere");
    await expect(one.session.client.GET("/v1/user")).rejects.toMatchObject({ code: "no-session" });
    // Nor later, after changes there.
    await other.session.flush();
    hear();
    await one.session.flush();
    expect(one.session.state).toBe("signed-out");
    expect(await one.session.logout()).toMatchObject({ server: "no-session" });
    expect(provider.isAlive(accessToken)).toBe(true);
    expect(other.session.state).toBe("active");
  });

  it("gives no token of another user to a tab that reads it half done, and leaves the storage alone there", async () => {
    const { provider, one, other, records, hear } = await oneHearingInBetween();
    const second = provider.addUser({ email: "second@example.com" });
    const { accessToken } = await other.startLogin(second.id);
    hear();
    expect([one.session.state, other.session.state]).toEqual(["signed-out", "active"]);
    expect(records().live).toMatchObject([{ tokens: { accessToken } }]);
  });

  it("continues for the same user in the other tabs, and aborts their requests in flight", async () => {
    const { provider, one, other, hear } = await two("oauth");
    provider.misbehave({ path: "/v1/user", delay: "forever", times: 1 });
    const inFlight = one.session.client.GET("/v1/user").catch(({ code }) => code);
    await vi.waitFor(() => expect(provider.requests).toHaveLength(1));
    await other.startOAuth();
    hear();
    expect(await inFlight).toBe("session-ended");
    expect(told(one).slice(-2)).toEqual(["signed-out elsewhere", "started"]);
    expect((await one.session.client.GET("/v1/user")).response.status).toBe(200);
  });

  it.each([true, false])(
    "of the same user stops a revoke of the old one in another (known user: %s)",
    async (known) => {
      useFakeTime();
      const { provider, one, other, hear } = await two("oauth");
      provider.misbehave({ path: REVOKE, status: 503, times: 1 });
      const revoke = one.session.revoke();
      await vi.advanceTimersByTimeAsync(50);
      hear();
      const { userId, id: _, ...tokens } = provider.authorize();
      await other.session.start({ ...tokens, ...(known && { userId }), grant: "oauth" });
      hear();
      await vi.advanceTimersByTimeAsync(5_000);
      expect(await revoke).toMatchObject({ server: "superseded" });
      expect(provider.isAlive(tokens.accessToken)).toBe(true);
    },
  );

  it("gives no token of the same user to a call of the previous session", async () => {
    const { provider, one, other, tokens, hear } = await two("login");
    provider.expire(tokens.accessToken);
    provider.misbehave({ path: "/v1/user", delay: 50, times: 1 });
    const late = one.session.client.GET("/v1/user");
    // Another call discovers that the session has ended.
    await vi.waitFor(() => expect(provider.requests).toHaveLength(1));
    await one.session.client.GET("/v1/user");
    await other.startLogin();
    hear();
    expect(one.session.state).toBe("active");
    expect((await late).response.status).toBe(401);
    expect(provider.requests.filter(({ path }) => path === "/v1/user")).toHaveLength(2);
  });

  it("ends the session of another user, notified or not", async () => {
    const { provider, one, other, tokens } = await two();
    const second = provider.addUser({ email: "second@example.com" });
    const next = await other.startLogin(second.id);
    // This tab has not been notified.
    const third = await one.startLogin(provider.addUser({ email: "third@example.com" }).id);
    await vi.waitFor(() => expect(provider.isAlive(next.accessToken)).toBe(false));
    expect(provider.isAlive(tokens.accessToken)).toBe(false);
    expect(provider.isAlive(third.accessToken)).toBe(true);
    other.hear();
    expect(other.session.state).toBe("signed-out");
  });
});

describe("an ending in one tab", () => {
  it("signs the others out at once, aborts their requests and reports the other tab", async () => {
    const { provider, one, other, hear } = await two();
    provider.misbehave({ path: "/v1/user", delay: "forever", times: 1 });
    const inFlight = other.session.client.GET("/v1/user").catch(({ code }) => code);
    const ending = one.session.logout();
    hear();
    expect(other.session.state).toBe("signed-out");
    expect(told(other).at(-1)).toBe("signed-out elsewhere");
    expect(await inFlight).toBe("session-ended");
    expect(await ending).toMatchObject({ server: "confirmed", local: "cleared" });
    hear();
    expect(told(other).filter((type) => type.startsWith("signed-out"))).toHaveLength(2);
    expect(endings(provider)).toHaveLength(1);
  });

  it("signs the other tabs out halfway, and leaves the rest to its own tab", async () => {
    const { provider, one, other, storage, records, hear } = await two();
    // A session of which this tab is notified only together with its end.
    await other.startLogin();
    await other.session.flush();
    const live = only(records().live);
    const now = Date.now();
    const ending = { endpoint: "logout", since: now, attempt: 1, until: now + 5_000 } as const;
    storage.setItem(`baanx-session:ended.${live.id}`, serialize({ ...live, ending }));
    const { length } = endings(provider);
    hear();
    expect(told(one).at(-1)).toBe("signed-out elsewhere");
    expect(records()).toMatchObject({ live: [], pending: [{ id: live.id }] });
    expect(endings(provider)).toHaveLength(length);
  });

  it("finishes in a tab that comes back after the first one has closed", async () => {
    const { one, other, items, records } = await two();
    const live = only(records().live);
    other.close();
    const before = Date.now() - 10_000;
    const ending = { endpoint: "logout", since: before, attempt: 1, until: before + 5_000 } as const;
    items.set(`baanx-session:ended.${live.id}`, serialize({ ...live, ending }));
    one.show();
    expect(told(one).at(-1)).toBe("signed-out elsewhere");
    expect(records().live).toEqual([]);
    expect(await one.session.flush()).toMatchObject([{ server: "confirmed", local: "cleared" }]);
    expect(records()).toMatchObject({ live: [], pending: [] });
  });

  describe("that another tab is sending", () => {
    /** One tab has signed out, the server has not answered, and the other tab was notified. */
    async function sending() {
      const tabs = await two();
      useFakeTime();
      const behave = tabs.provider.misbehave({ delay: "forever" });
      const ended = tabs.one.session.logout();
      tabs.hear();
      expect(told(tabs.other).at(-1)).toBe("signed-out elsewhere");
      expect(endings(tabs.provider)).toHaveLength(1);
      return { ...tabs, ended, behave };
    }

    it("sends it here once the lease of a closed tab has lapsed", async () => {
      const { provider, one, other, tokens, records, behave } = await sending();
      one.close();
      behave();
      await vi.advanceTimersByTimeAsync(5_000);
      expect(endings(provider)).toHaveLength(1);
      await vi.advanceTimersByTimeAsync(2_000);
      expect(endings(provider)).toHaveLength(2);
      expect(provider.isAlive(tokens.accessToken)).toBe(false);
      expect(records()).toMatchObject({ live: [], pending: [] });
      expect(other.session.pending).toBe(0);
    });

    it("sends it here also if the store changes in the meantime", async () => {
      const { provider, one, other, tokens, records, storage, behave } = await sending();
      const pending = only(records().pending);
      one.close();
      behave();
      await vi.advanceTimersByTimeAsync(5_900);
      const until = Date.now() + 60_000;
      const another = { ...pending, id: "another", startedAt: 1, ending: { ...pending.ending, until } };
      storage.setItem("baanx-session:ended.another", serialize(another));
      other.hear();
      expect(other.session.pending).toBe(2);
      await vi.advanceTimersByTimeAsync(2_000);
      expect(provider.isAlive(tokens.accessToken)).toBe(false);
      expect(other.session.pending).toBe(1);
    });

    it("does not send it here after that tab has released its lease", async () => {
      const { provider, ended, other, hear } = await sending();
      await vi.advanceTimersByTimeAsync(5_000);
      expect(await ended).toMatchObject({ server: "unconfirmed", local: "pending" });
      hear();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(endings(provider)).toHaveLength(1);
      expect(other.session.pending).toBe(1);
    });

    it("does not concern a closed session", async () => {
      const { provider, one, other } = await sending();
      one.close();
      other.session.close();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(endings(provider)).toHaveLength(1);
    });
  });

  it("retries a failed remove on the next change", async () => {
    const { provider, open, storage, items } = browser();
    let isBroken = false;
    const tab = open({
      wrap: (store) =>
        storeDouble(({ method }) => {
          if (isBroken && method === "remove") throw new Error("read-only");
        }, store),
    });
    await tab.startLogin();
    provider.misbehave({ delay: "forever" });
    isBroken = true;
    tab.session.logout();
    isBroken = false;
    storage.setItem("baanx-session:ended.other", "{}");
    tab.hear();
    expect([...items.keys()].filter((key) => key.includes("session."))).toEqual([]);
  });

  it("signs the other tabs out after a 401, too", async () => {
    const { provider, one, other, tokens, hear } = await two();
    provider.expire(tokens.accessToken);
    await one.session.client.GET("/v1/user");
    hear();
    expect(told(other).at(-1)).toBe("signed-out elsewhere");
  });

  it("removes a pending ending here after it was settled there", async () => {
    const { provider, one, other, hear } = await two();
    provider.misbehave({ status: 403, times: 1 });
    await one.session.logout();
    hear();
    expect(other.session.pending).toBe(1);
    await one.session.flush();
    hear();
    expect(other.session.pending).toBe(0);
    expect(await other.session.flush()).toEqual([]);
  });

  it("looks the same as clearing all storage", async () => {
    const { other, storage, hear } = await two();
    storage.clear();
    hear();
    expect(told(other).at(-1)).toBe("signed-out elsewhere");
  });

  it("leaves the new sign-in of another tab in the store", async () => {
    const { provider, one, other, records } = await two();
    const second = provider.addUser({ email: "second@example.com" });
    const { accessToken } = await other.startLogin(second.id);
    // Without a notification, this tab ends the old session again.
    expect(await one.session.logout()).toMatchObject({ server: "already-invalid", local: "cleared" });
    expect(records().live).toMatchObject([{ tokens: { accessToken } }]);
    expect(provider.isAlive(accessToken)).toBe(true);
  });

  it.each(["login", "oauth"] as const)(
    "beside one in the other at the same time: both report the truth (%s)",
    async (grant) => {
      const { provider, one, other, records } = await two(grant);
      const ends = await Promise.all([one.session.end(), other.session.end()]);
      expect(ends.map(({ server }) => server)).toEqual(["confirmed", "already-invalid"]);
      expect(ends.map(({ local }) => local)).toEqual(["cleared", "cleared"]);
      expect(endings(provider)).toHaveLength(2);
      expect(records()).toMatchObject({ live: [], pending: [] });
    },
  );

  it("reports the truth in both tabs that revoke without renew", async () => {
    const { one, other, records } = await two("oauth", { renew: undefined });
    const ends = await Promise.all([one.session.end(), other.session.end()]);
    // The second request is refused. The tab then reads the outcome of the first.
    expect(ends.map(({ server }) => server)).toEqual(["confirmed", "confirmed"]);
    expect(records()).toMatchObject({ live: [], pending: [] });
  });
});

it("lets a refused revoke wait for another tab that has ended the session and not stored it yet", async () => {
  const { provider, one, other } = await two("oauth", { renew: undefined });
  useFakeTime();
  provider.misbehave({ path: REVOKE, delay: 150, times: 1 });
  const ending = other.session.revoke();
  await vi.advanceTimersByTimeAsync(50);
  expect(await within(300, one.session.revoke())).toMatchObject({ server: "confirmed", local: "cleared" });
  expect(await ending).toMatchObject({ server: "confirmed" });
});

it("reads changes without a notification in a page from the back-forward cache", async () => {
  const { one, other } = await two();
  await one.session.logout();
  other.show();
  expect(other.session.state).toBe("signed-out");
});

describe("a renewal in one tab", () => {
  it.each([true, false])("spends the refresh token once for another tab, notified: %s", async (hears) => {
    const { provider, one, other, tokens, hear } = await two("oauth");
    provider.expire(tokens.accessToken);
    await one.session.client.GET("/v1/user");
    if (hears) hear();
    if (hears) expect(told(other).at(-1)).toBe("renewed");
    expect((await other.session.client.GET("/v1/user")).response.status).toBe(200);
    expect(provider.requests.filter(({ path }) => path === TOKEN)).toHaveLength(1);
  });

  it("signs no tab out if both renew at once with rotating refresh tokens", async () => {
    const { provider, one, other, tokens, hear } = await two("oauth");
    provider.expire(tokens.accessToken);
    const calls = [one, other].map(({ session }) => session.client.GET("/v1/user"));
    expect((await Promise.all(calls)).map(({ response }) => response.status)).toEqual([200, 200]);
    hear();
    expect([one.session.state, other.session.state]).toEqual(["active", "active"]);
    expect((await other.session.client.GET("/v1/user")).response.status).toBe(200);
  });

  it("ends tokens that arrive after another tab ended the session", async () => {
    const { provider, one, other, tokens, records } = await two("oauth");
    provider.expire(tokens.accessToken);
    provider.misbehave({ path: TOKEN, delay: 50, times: 1 });
    const call = one.session.client.GET("/v1/user").catch(({ code }) => code);
    await vi.waitFor(() => expect(provider.requests.at(-1)?.path).toBe(TOKEN));
    // The ending settles before the renewal finishes, and this tab has not been notified.
    await other.session.logout();
    expect(await call).toBe("session-ended");
    await vi.waitFor(() => expect(records()).toMatchObject({ live: [], pending: [] }));
    expect(provider.requests.map(({ path }) => path)).toContain(TOKEN);
    expect(one.session.state).toBe("signed-out");
  });

  it("ends tokens that were stored just after the ending of another tab", async () => {
    const { provider, other, tokens, items, records } = await two("oauth");
    const live = only(records().live);
    await other.session.logout();
    const late = provider.addAccessToken(provider.authorize(tokens.userId).id);
    // A write by a tab without a notification: its copy of the storage is outdated for a moment.
    const renewed = { ...live, generation: 1, tokens: { ...live.tokens, accessToken: late } };
    items.set(`baanx-session:session.${live.id}`, serialize(renewed));
    other.show();
    expect(other.session.pending).toBe(1);
    await other.session.flush();
    expect(provider.isAlive(late)).toBe(false);
    expect(other.session.state).toBe("signed-out");
    expect(records()).toMatchObject({ live: [], pending: [] });
  });

  it("ends tokens that are stored while the other tab ends the session, and does not overwrite them", async () => {
    const { provider, one, tokens, items, records } = await two("oauth");
    const late = provider.addAccessToken(provider.authorize(tokens.userId).id);
    const body = () => {
      const pending = only(records().pending);
      // A write by the other tab, of which this tab has not been notified.
      const renewed = { ...pending, generation: 1, tokens: { ...tokens, accessToken: late } };
      items.set(`baanx-session:ended.${pending.id}`, serialize(renewed));
      return '{"success":true}';
    };
    provider.misbehave({ path: LOGOUT, status: 200, body, times: 1 });
    expect(await one.session.logout()).toMatchObject({ server: "confirmed" });
    await one.session.flush();
    expect(provider.isAlive(late)).toBe(false);
    expect(records()).toMatchObject({ live: [], pending: [] });
  });

  it("keeps new tokens despite the 401 of a replay in the other tab", async () => {
    const { provider, one, other, tokens, records } = await two("oauth");
    const read = () => one.session.client.GET("/v1/user");
    provider.expire(tokens.accessToken);
    await read();
    provider.misbehave({ path: "/v1/user", status: 401, times: 1 });
    provider.misbehave({
      path: "/v1/user",
      status: 401,
      times: 1,
      body: async () => {
        provider.expire(records().live[0]?.tokens.accessToken ?? "");
        await read();
        return "{}";
      },
    });
    // The second replay uses the tokens of the other tab.
    expect((await other.session.client.GET("/v1/user")).response.status).toBe(200);
    expect([one.session.state, other.session.state]).toEqual(["active", "active"]);
    expect((await other.session.client.GET("/v1/user")).response.status).toBe(200);
  });

  it("ends tokens that arrive after this tab was refused", async () => {
    const { provider, one, other, tokens, records } = await two("oauth");
    provider.expire(tokens.accessToken);
    useFakeTime();
    provider.misbehave({ path: TOKEN, delay: 150, times: 1 });
    const call = other.session.client.GET("/v1/user").catch(({ code }) => code);
    await vi.advanceTimersByTimeAsync(50);
    expect(provider.requests.at(-1)?.path).toBe(TOKEN);
    // The refresh token is already spent, and the new tokens are not stored yet.
    expect(await within(2_000, one.session.revoke())).toMatchObject({
      server: "confirmed",
      local: "cleared",
    });
    await call;
    expect(records()).toMatchObject({ live: [], pending: [] });
    expect(provider.isAlive(tokens.refreshToken ?? "")).toBe(false);
  });

  it("uses a lock if locks are available", async () => {
    const { provider, one, other, tokens, records } = await two("oauth");
    provider.expire(tokens.accessToken);
    const names: string[] = [];
    let last: Promise<unknown> = Promise.resolve();
    const request = (name: string, _: unknown, run: () => Promise<unknown>) => {
      names.push(name);
      last = last.then(run);
      return last;
    };
    stubGlobals({ navigator: { locks: { request } } });
    const calls = [one, other].map(({ session }) => session.client.GET("/v1/user"));
    expect((await Promise.all(calls)).map(({ response }) => response.status)).toEqual([200, 200]);
    expect(provider.requests.filter(({ path }) => path === TOKEN)).toHaveLength(1);
    const name = `baanx-session:${only(records().live).id}`;
    expect(names).toEqual([name, name]);
  });

  it("releases the lock only after the other tabs can see the new tokens", async () => {
    const order: string[] = [];
    const store = storeDouble(({ method }) => {
      // On a busy machine this takes longer.
      if (method === "write") setTimeout(() => order.push("seen"), 100);
    });
    const request = async (_: string, __: unknown, run: () => Promise<unknown>) => {
      order.length = 0;
      await run();
      order.push("released");
    };
    stubGlobals({ navigator: { locks: { request } } });
    const renew = () => ({ accessToken: provider.login().accessToken });
    const { provider, session, startOAuth } = setup({ store, renew });
    provider.expire((await startOAuth()).accessToken);
    await session.client.GET("/v1/user");
    await vi.waitFor(() => expect(order).toContain("released"));
    expect(order).toContain("seen");
    expect(order.at(-1)).toBe("released");
  });

  it.each([
    ["are refused", { request: () => Promise.reject(new DOMException("no origin", "SecurityError")) }],
    ["are unknown", undefined],
  ])("works without a lock if they %s", async (_, locks) => {
    const { provider, one, tokens } = await two("oauth");
    provider.expire(tokens.accessToken);
    stubGlobals({ navigator: { locks } });
    expect((await one.session.client.GET("/v1/user")).response.status).toBe(200);
  });

  it("renews without the lock if a frozen tab holds it", async () => {
    useFakeTime();
    const { provider, one, tokens } = await two("oauth");
    provider.expire(tokens.accessToken);
    const request = (_: string, { signal }: { signal: AbortSignal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    stubGlobals({ navigator: { locks: { request } } });
    const call = one.session.client.GET("/v1/user");
    await vi.advanceTimersByTimeAsync(4_999);
    expect(provider.requests.some(({ path }) => path === TOKEN)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await call).response.status).toBe(200);
    expect(one.session.state).toBe("active");
  });
});

describe("a store that fails", () => {
  it("leaves a sign-in in memory until another tab signs in after it, or in and out", async () => {
    for (const isEnded of [false, true]) {
      const { provider, one, other, items, hear } = await two();
      await one.session.logout();
      hear();
      const set = items.set.bind(items);
      items.set = () => {
        throw new DOMException("full", "QuotaExceededError");
      };
      const { accessToken } = await one.startLogin();
      const begun = Date.now();
      items.set = set;
      expect(one.session.state).toBe("active");
      await vi.waitUntil(() => Date.now() > begun);
      await other.startLogin(provider.addUser({ email: "second@example.com" }).id);
      if (isEnded) await other.session.logout();
      hear();
      expect(one.session.state).toBe("signed-out");
      await one.session.flush();
      expect(provider.isAlive(accessToken)).toBe(false);
      expect(other.session.state).toBe(isEnded ? "signed-out" : "active");
    }
  });

  it("loses nothing if a write of a sign-in fails once before a renewal and a read", async () => {
    const { provider, open, records } = browser();
    let failures = 0;
    const { session, startOAuth, show, events } = open({
      renew: renewAt(provider),
      wrap: (store) =>
        storeDouble(({ method }) => {
          if (method === "write" && failures-- > 0) throw new Error("full");
        }, store),
    });
    await session.ready();
    for (const times of [1, 2]) {
      failures = times;
      const { accessToken } = await startOAuth();
      provider.expire(accessToken);
      await session.client.GET("/v1/user");
      show();
      expect(session.state).toBe("active");
      expect(events.at(-1)?.type).toBe("renewed");
      expect(provider.isAlive(records().live[0]?.tokens.accessToken ?? "")).toBe(true);
    }
  });

  it("reports a failed subscribe(), and reads nevertheless", async () => {
    const memory = memoryStore();
    const { provider, startLogin } = setup({ store: memory });
    await startLogin();
    const subscribe = () => {
      throw new Error("not here");
    };
    const { session, events } = await reopen({ store: { ...memory, subscribe } }, provider);
    expect(session.state).toBe("active");
    expect(events.map(({ type }) => type)).toEqual(["store-failed", "started"]);
    expect(events[0]?.error).toMatchObject({
      code: "store-failed",
      message: expect.stringContaining("subscribe() of the store failed"),
    });
  });
});

it("sends six pending endings at a time, and each once", async () => {
  const store = memoryStore();
  const provider = createSandboxApp();
  for (let index = 0; index < 20; index++) {
    const { accessToken } = provider.login();
    const ending = { endpoint: "logout", since: index, attempt: 1, until: 0 } as const;
    const record = recordOf({ id: `${index}`, startedAt: index, tokens: { accessToken }, ending });
    store.write(`ended.${index}`, serialize(record));
  }
  let inFlight = 0;
  let most = 0;
  const fetch: typeof provider.fetch = async (...call) => {
    most = Math.max(most, ++inFlight);
    await new Promise((resolve) => setTimeout(resolve, 1));
    inFlight--;
    return provider.fetch(...call);
  };
  const { session } = setup({ store, fetch }, provider);
  expect(await session.flush()).toHaveLength(20);
  expect(most).toBe(6);
  expect(endings(provider)).toHaveLength(20);
  expect(session.pending).toBe(0);
});
