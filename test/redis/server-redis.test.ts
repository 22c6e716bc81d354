/** The example over a real Redis, with processes that are really killed. */

import { createClient } from "redis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createApp, flushPending, sessionOf } from "../../examples/server-redis/app.ts";
import { evictionWarning, type Redis, storeOf, waiting } from "../../examples/server-redis/store.ts";
import type { Session } from "../../src/index.ts";
import { keyOf, serialize } from "../../src/record.ts";
import { createSandboxApp, type SandboxApp } from "../../src/sandbox/sandbox.ts";
import { type RunningServer, startServer } from "../../src/sandbox/server.ts";
import { endings, LOGOUT, recordsIn, TOKEN } from "../support.ts";
import { describeRedis, hasRedis, startBackEnd, startRedis } from "./processes.ts";

let redis: Awaited<ReturnType<typeof startRedis>>;
let provider: SandboxApp;
let server: RunningServer;
const running: { stop(): Promise<unknown> }[] = [];

beforeAll(async () => {
  if (hasRedis) redis = await startRedis();
});
afterAll(() => redis?.stop());
beforeEach(async () => {
  provider = createSandboxApp();
  server = await startServer(provider);
  await redis?.client.flushAll();
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  await server.close();
});

const settings = () => ({
  baseUrl: server.url,
  clientKey: provider.clientKey,
  secretKey: provider.secretKey,
});

async function backEnd(env: Record<string, string> = {}) {
  const one = await startBackEnd({
    REDIS_URL: redis.url,
    BAANX_BASE_URL: server.url,
    BAANX_CLIENT_KEY: provider.clientKey,
    BAANX_SECRET_KEY: provider.secretKey,
    ...env,
  });
  running.push(one);
  return one;
}

const login = () => ({ email: provider.user.email, password: provider.user.password });
const waitUntil = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 20_000, interval: 20 });

describeRedis("a back end over Redis", () => {
  it("shares a session among processes, and its end, and logs no secret", async () => {
    await redis.client.configSet("maxmemory-policy", "volatile-lru");
    const [one, other] = await Promise.all([backEnd(), backEnd()]);
    await redis.client.configSet("maxmemory-policy", "noeviction");
    const { cookie } = await one.ask("POST", "/login", login());
    const [accessToken = "none"] = await tokensIn();
    other.use(cookie);
    expect(await other.ask("GET", "/me")).toMatchObject({ status: 200, body: { id: provider.user.id } });
    expect((await other.ask("POST", "/logout")).body).toEqual({ server: "confirmed", local: "cleared" });
    expect((await one.ask("GET", "/me")).status).toBe(401);
    expect(endings(provider)).toEqual([LOGOUT]);
    expect(await tokensIn()).toEqual([]);
    const said = one.said() + other.said();
    expect(said).toContain("maxmemory-policy is volatile-lru. Set it to noeviction");
    const { password, email } = provider.user;
    for (const secret of [accessToken, cookie.replace(/^.*=/, ""), password, email, provider.secretKey])
      expect(said).not.toContain(secret);
  });

  it("ends a session whose process was killed while the API had not answered", async () => {
    const one = await backEnd({ TIMEOUT_MS: "500" });
    await one.ask("POST", "/login", login());
    const [accessToken = ""] = await tokensIn();
    provider.misbehave({ path: LOGOUT, delay: "forever", times: 1 });
    const asked = one.ask("POST", "/logout").catch(() => "no answer");
    await waitUntil(() => expect(endings(provider)).toEqual([LOGOUT]));
    await waitUntil(async () => expect(await redis.client.sCard("baanx:waiting")).toBeGreaterThan(0));
    await one.kill();
    expect(await asked).toBe("no answer");
    expect(provider.isAlive(accessToken)).toBe(true);
    // Its lease has to lapse first.
    await waitUntil(async () => {
      expect(await flushPending(redis.client, settings())).toEqual([]);
      expect(await redis.client.sCard("baanx:waiting")).toBe(0);
    });
    expect(provider.isAlive(accessToken)).toBe(false);
    expect(await tokensIn()).toEqual([]);
  });

  const post = (path: string, body?: object, headers: Record<string, string> = {}): [string, RequestInit] => [
    path,
    {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      ...(body && { body: JSON.stringify(body) }),
    },
  ];

  /** Logs in, and returns the cookie. */
  async function signIn(app = createApp(redis.client, settings())): Promise<string> {
    const response = await app.request(...post("/login", login()));
    expect(await response.json()).toEqual({ outcome: "signed-in" });
    return response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  }

  it("ends the session that the cookie named before when a user signs in", async () => {
    const app = createApp(redis.client, settings());
    const cookie = await signIn(app);
    const [first = ""] = await tokensIn();
    const next = await app.request(...post("/login", login(), { cookie }));
    expect(next.status).toBe(200);
    expect(provider.isAlive(first)).toBe(false);
    expect(await tokensIn()).toHaveLength(1);
  });

  /** A client like that of `server.ts`, whose commands fail at once while Redis is away. */
  async function impatient() {
    const client = createClient({ url: redis.url, disableOfflineQueue: true });
    client.on("error", () => {});
    await client.connect();
    running.push({ stop: async () => client.destroy() });
    return client as unknown as Redis;
  }

  it("ends a login that a full Redis did not store, answers 503, and leaves the session before alone", async () => {
    const app = createApp(redis.client, settings());
    const cookie = await signIn(app);
    const [first = ""] = await tokensIn();
    await redis.client.configSet("maxmemory", "1");
    const response = await app.request(...post("/login", login(), { cookie }));
    await redis.client.configSet("maxmemory", "0");
    expect(response.status).toBe(503);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(endings(provider)).toEqual([LOGOUT]);
    expect(await tokensIn()).toEqual([first]);
    expect(provider.isAlive(first)).toBe(true);
  });

  it("answers 503 while Redis is away, and loses no ending, also if the API is away at the time", async () => {
    const unfinished = new Set<Session>();
    const client = await impatient();
    const app = createApp(client, { ...settings(), timeout: 500 }, unfinished);
    const cookie = await signIn(app);
    await redis.kill();
    try {
      expect((await app.request("/me", { headers: { cookie } })).status).toBe(503);
      expect((await app.request("/me")).status).toBe(401);
      const restore = provider.misbehave({ path: LOGOUT, status: 403 });
      const login1 = await app.request(...post("/login", login()));
      expect(login1.status).toBe(503);
      const [accessToken = ""] = provider.requests
        .filter(({ path }) => path === LOGOUT)
        .map(({ authorization }) => authorization?.replace("Bearer ", ""));
      expect(provider.isAlive(accessToken)).toBe(true);
      restore();
      // The list cannot be read, and the session that this process remembers is ended all the same.
      await expect(flushPending(client, settings(), unfinished)).rejects.toThrow();
      expect(provider.isAlive(accessToken)).toBe(false);
    } finally {
      await redis.restart();
    }
    await waitUntil(async () => expect(await flushPending(client, settings(), unfinished)).toEqual([]));
    expect(unfinished.size).toBe(0);
  });

  it("ends a session later whose logout could not read Redis", async () => {
    const cookie = await signIn();
    const [accessToken = ""] = await tokensIn();
    let isAway = true;
    const hGetAll = (key: string) =>
      isAway ? Promise.reject(new Error("LOADING")) : redis.client.hGetAll(key);
    const away = Object.assign(Object.create(redis.client), { hGetAll });
    const unfinished = new Set<Session>();
    const response = await createApp(away, settings(), unfinished).request(
      ...post("/logout", undefined, { cookie }),
    );
    expect(await response.json()).toEqual({ server: "unconfirmed", local: "failed" });
    expect(provider.isAlive(accessToken)).toBe(true);
    isAway = false;
    await flushPending(redis.client, settings(), unfinished);
    await waitUntil(() => expect(provider.isAlive(accessToken)).toBe(false));
    await waitUntil(async () => {
      await flushPending(redis.client, settings(), unfinished);
      expect(unfinished.size).toBe(0);
    });
    expect(await tokensIn()).toEqual([]);
  });

  it("signs in with a one-time password, and refuses a wrong one", async () => {
    const { email, password } = provider.addUser({ email: "otp-example@example.com", otpCode: "123456" });
    const app = createApp(redis.client, settings());
    const ask = async (more: object) => {
      const response = await app.request(...post("/login", { email, password, ...more }));
      return [response.status, (await response.json()).outcome, response.headers.getSetCookie().length];
    };
    expect(await ask({})).toEqual([202, "code-sent", 0]);
    expect(await ask({ otpCode: "000000" })).toEqual([401, "code-refused", 0]);
    expect(await ask({ otpCode: "123456" })).toEqual([200, "signed-in", 1]);
    expect(await ask({ password: "wrong" })).toEqual([401, "refused", 0]);
    expect(await tokensIn()).toHaveLength(1);
  });

  it("sets a cookie that scripts, other hosts and plain http cannot use", async () => {
    const app = createApp(redis.client, { ...settings(), origin: "https://app.example" });
    const [cookie = ""] = (await app.request(...post("/login", login()))).headers.getSetCookie();
    expect(cookie).toMatch(/^__Host-session=[\w-]{43}; /);
    expect(cookie.split("; ").slice(1).sort()).toEqual([
      "HttpOnly",
      "Max-Age=86400",
      "Path=/",
      "SameSite=Strict",
      "Secure",
    ]);
    const headers = { cookie: cookie.split(";")[0] ?? "", origin: "https://app.example" };
    const response = await app.request("/logout", { method: "POST", headers });
    expect(await response.json()).toMatchObject({ server: "confirmed" });
    expect(response.headers.getSetCookie()[0]).toMatch(/^__Host-session=; Max-Age=0; .*Secure/);
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it.each(["/login", "/logout"])("refuses a form of another origin to POST %s", async (path) => {
    const app = createApp(redis.client, { ...settings(), origin: "https://app.example" });
    const [accessToken = ""] = (await signIn(app)) ? await tokensIn() : [];
    for (const origin of ["https://evil.example", "null", "http://app.example"])
      for (const type of ["text/plain", "application/x-www-form-urlencoded", undefined]) {
        const headers = { origin, ...(type && { "content-type": type }) };
        expect((await app.request(path, { method: "POST", headers })).status).toBe(403);
      }
    expect(provider.isAlive(accessToken)).toBe(true);
  });

  it.each([
    ["is not JSON", "{", 400],
    ["is not an object", "[]", 400],
    ["has a number as email", '{"email":1,"password":"x"}', 400],
    ["has a number as code", '{"email":"a","password":"b","otpCode":1}', 400],
    ["is too long", JSON.stringify({ email: "a".repeat(20_000), password: "b" }), 413],
  ])("refuses a body that %s, and asks the API nothing", async (_, body, status) => {
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body };
    expect((await createApp(redis.client, settings()).request("/login", init)).status).toBe(status);
    expect(provider.requests).toEqual([]);
  });

  it("answers 502, and keeps the session, where the API does not answer", async () => {
    const app = createApp(redis.client, { ...settings(), timeout: 200 });
    const cookie = await signIn(app);
    provider.misbehave({ path: "/v1/user", delay: "forever", times: 1 });
    expect((await app.request("/me", { headers: { cookie } })).status).toBe(502);
    expect((await app.request("/me", { headers: { cookie } })).status).toBe(200);
  });

  it("shares nothing among visitors who have no cookie", async () => {
    const [one, other] = [0, 1].map(() => sessionOf(redis.client, undefined, settings()));
    await one?.start({ ...provider.login(), grant: "login" });
    await other?.ready();
    expect([one?.state, other?.state]).toEqual(["active", "signed-out"]);
    expect(await redis.client.keys("*")).toEqual([]);
  });

  describe("the list of those who may have an ending pending", () => {
    const isListed = async () => (await waiting(redis.client)).has("refused");

    /** Flushes with a Redis of which each read is preceded by something. */
    const flushWith = (before: () => Promise<unknown>) =>
      flushPending(
        Object.assign(Object.create(redis.client), {
          hGetAll: async (key: string) => {
            await before();
            return redis.client.hGetAll(key);
          },
        }),
        settings(),
      );

    /** A session with an ending that the server has refused, and will refuse so often again. */
    async function refused(times = 0) {
      const session = sessionOf(redis.client, "refused", settings());
      await session.start({ ...provider.login(), grant: "login" });
      provider.misbehave({ path: LOGOUT, status: 403, times: times + 1 });
      await session.logout();
    }

    it("names a session while its ending is asked again, until it is over", async () => {
      await refused(1);
      const listed: boolean[] = [];
      const note = async () => void listed.push(await isListed());
      await flushWith(note);
      expect(await isListed()).toBe(true);
      await flushWith(note);
      // It lists the tombstone, too, which the next flush finds to be nothing.
      await flushWith(note);
      expect(listed).toEqual([true, true, true]);
      expect(await isListed()).toBe(false);
      expect(await tokensIn()).toEqual([]);
    });

    it("keeps an ending that is stored while an older one is removed", async () => {
      await refused();
      await flushPending(redis.client, settings());
      await flushWith(async () => {
        const [over] = (await recordsIn(storeOf(redis.client, "refused"))).over;
        if (!over) throw new Error("The older ending is not over.");
        await storeOf(redis.client, "refused").write(keyOf(over), serialize(over));
      });
      expect(await isListed()).toBe(true);
    });

    it("keeps one entry for an ending, however often it is retried", async () => {
      await refused(9);
      for (let sweep = 0; sweep < 3; sweep++) await flushPending(redis.client, settings());
      // And those of the last sweep.
      expect(await redis.client.sCard("baanx:waiting")).toBeLessThanOrEqual(3);
      expect(await isListed()).toBe(true);
    });

    it("reports an ending that Redis has evicted, once, and forgets its place", async () => {
      await refused();
      await redis.client.configSet("maxmemory-policy", "volatile-lru");
      await redis.client.configSet("maxmemory", "1");
      await redis.client.configSet("maxmemory", "0");
      await redis.client.configSet("maxmemory-policy", "noeviction");
      expect(await isListed()).toBe(true);
      expect(await flushPending(redis.client, settings())).toEqual([expect.stringMatching(/^ended\./)]);
      expect(await isListed()).toBe(false);
      expect(await flushPending(redis.client, settings())).toEqual([]);
    });

    it("ends the others although a place, a hash or one of its fields is malformed", async () => {
      await refused();
      const accessTokens = await tokensIn();
      const places = ["", "x", " ", "a b c d", "typed ended.1 2", "fields ended.1 2"];
      await redis.client.sAdd("baanx:waiting", places);
      await redis.client.set("baanx:session:typed", "a string, and no hash");
      const poison = { "session.1": "{", "ended.1": "{}", "ended.2": '{"v":1}', constructor: "null" };
      await redis.client.hSet("baanx:session:fields", poison);
      const lost = await flushPending(redis.client, settings());
      expect(lost.sort()).toEqual(["", "b"]);
      for (const token of accessTokens) expect(provider.isAlive(token)).toBe(false);
      await flushPending(redis.client, settings());
      // Unknown fields are left alone.
      expect([...(await waiting(redis.client)).keys()].sort()).toEqual(["fields", "typed"]);
      expect(await redis.client.hGetAll("baanx:session:fields")).toEqual(poison);
    });

    it("keeps an ending whose place could not be read", async () => {
      await refused();
      await flushWith(() => Promise.reject(new Error("LOADING")));
      expect(await isListed()).toBe(true);
      expect(endings(provider)).toEqual([LOGOUT]);
    });
  });

  it("does not let a late write touch a newer sign-in of another user", async () => {
    const one = sessionOf(redis.client, "shared", settings());
    await one.start({ ...provider.login(), grant: "login" });
    const other = sessionOf(redis.client, "shared", settings());
    const newer = provider.login(provider.addUser({ email: "grace-example@example.com" }).id);
    await other.start({ ...newer, grant: "login" });
    expect(await one.end()).toMatchObject({ server: "already-invalid", local: "cleared" });
    const { live } = await recordsIn(storeOf(redis.client, "shared"));
    expect(live.map(({ tokens }) => tokens.accessToken)).toEqual([newer.accessToken]);
    expect(provider.isAlive(newer.accessToken)).toBe(true);
  });

  it("keeps a session where the token endpoint refuses the secret of this server", async () => {
    const { id: _, ...tokens } = provider.authorize();
    const session = sessionOf(redis.client, "shared", { ...settings(), secretKey: "wrong-secret-key" });
    await session.start({ ...tokens, grant: "oauth" });
    provider.expire(tokens.accessToken);
    await session.client.GET("/v1/user").catch(() => {});
    expect(session.state).toBe("active");
  });

  it.each(["allkeys-lru", "volatile-ttl"])(
    "warns of the policy %s, which may evict sessions",
    async (policy) => {
      await redis.client.configSet("maxmemory-policy", policy);
      expect(await evictionWarning(redis.client)).toContain(`maxmemory-policy is ${policy}`);
      await redis.client.configSet("maxmemory-policy", "noeviction");
      expect(await evictionWarning(redis.client)).toBeUndefined();
    },
  );

  it("renews once for two processes, or finds the tokens of the other", async () => {
    const { id: _, ...tokens } = provider.authorize();
    await sessionOf(redis.client, "shared", settings()).start({ ...tokens, grant: "oauth" });
    provider.expire(tokens.accessToken);
    const both = [0, 1].map(() => sessionOf(redis.client, "shared", settings()));
    const answers = await Promise.all(both.map(({ client }) => client.GET("/v1/user")));
    expect(answers.map(({ response }) => response.status)).toEqual([200, 200]);
    expect(both.map(({ state }) => state)).toEqual(["active", "active"]);
    expect(provider.requests.filter(({ path, status }) => path === TOKEN && status === 200)).toHaveLength(1);
  });
});

/** The access tokens that Redis holds. */
async function tokensIn(): Promise<string[]> {
  const keys = await redis.client.keys("baanx:session:*");
  const stores = keys.map((key) => storeOf(redis.client, key.replace("baanx:session:", "")));
  const records = await Promise.all(stores.map(recordsIn));
  return records
    .flatMap(({ live, pending }) => [...live, ...pending])
    .map(({ tokens }) => tokens.accessToken);
}
