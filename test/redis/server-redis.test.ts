/** The example over a real Redis, with processes that are really killed. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createApp, flushPending, sessionOf } from "../../examples/server-redis/app.ts";
import { storeOf, waiting } from "../../examples/server-redis/store.ts";
import { keyOf, serialize } from "../../src/record.ts";
import { createSandboxApp, type SandboxApp } from "../../src/sandbox/sandbox.ts";
import { type RunningServer, startServer } from "../../src/sandbox/server.ts";
import { endings, LOGOUT, REVOKE, recordsIn, TOKEN } from "../support.ts";
import { hasRedis, startBackEnd, startRedis } from "./processes.ts";
import { startWorkerProcess } from "./queue-processes.ts";

let redis: Awaited<ReturnType<typeof startRedis>>;
let provider: SandboxApp;
let server: RunningServer;
const running: { stop(): Promise<void> }[] = [];

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

// A machine without Redis says so; in a pipeline a skipped test counts as failed.
describe.skipIf(!hasRedis)(
  hasRedis ? "a back end over Redis" : "skipped: redis-server is not installed (Debian: redis-server)",
  () => {
    it("shares a session among processes, and its end", async () => {
      const [one, other] = await Promise.all([backEnd(), backEnd()]);
      const { cookie } = await one.ask("POST", "/login", login());
      other.use(cookie);
      expect(await other.ask("GET", "/me")).toMatchObject({ status: 200, body: { id: provider.user.id } });
      expect((await other.ask("POST", "/logout")).body).toEqual({ server: "confirmed", local: "cleared" });
      expect((await one.ask("GET", "/me")).status).toBe(401);
      expect(endings(provider)).toEqual([LOGOUT]);
      expect(await tokensIn()).toEqual([]);
    });

    /** A process is killed while the server has not answered its logout; resolves to the token that it leaves. */
    async function killedInLogout(): Promise<string> {
      const one = await backEnd({ TIMEOUT_MS: "500" });
      await one.ask("POST", "/login", login());
      const [accessToken = ""] = await tokensIn();
      provider.misbehave({ path: LOGOUT, delay: "forever", times: 1 });
      const asked = one.ask("POST", "/logout").catch(() => "no answer");
      await waitUntil(() => expect(endings(provider)).toEqual([LOGOUT]));
      await waitUntil(async () => expect(await redis.client.sCard("baanx:waiting")).toBeGreaterThan(0));
      await one.kill();
      expect(await asked).toBe("no answer");
      return accessToken;
    }

    it("lets another process end a session whose process was killed", async () => {
      const accessToken = await killedInLogout();
      expect(provider.isAlive(accessToken)).toBe(true);

      await backEnd({ TIMEOUT_MS: "500", SWEEP_MS: "50" });
      await waitUntil(() => expect(provider.isAlive(accessToken)).toBe(false));
      await waitUntil(async () => expect(await tokensIn()).toEqual([]));
      await waitUntil(async () => expect(await redis.client.sCard("baanx:waiting")).toBe(0));
    });

    it("hands the ending of a process that was killed to the queue, sealed, and a worker ends it", async () => {
      const queue = {
        REDIS_URL: redis.url,
        BAANX_BASE_URL: server.url,
        BAANX_CLIENT_KEY: provider.clientKey,
        ENDINGS_KEY: "0123456789abcdef".repeat(4),
      };
      const accessToken = await killedInLogout();

      await backEnd({ TIMEOUT_MS: "500", SWEEP_MS: "50", ENDINGS_KEY: queue.ENDINGS_KEY });
      await waitUntil(async () => expect(await redis.client.lLen("bull:baanx-endings:wait")).toBe(1));
      await waitUntil(async () => expect(await tokensIn()).toEqual([]));
      // It has asked nothing itself, and what waits is sealed.
      expect(endings(provider)).toEqual([LOGOUT]);
      expect(provider.isAlive(accessToken)).toBe(true);
      const [id = ""] = await redis.client.lRange("bull:baanx-endings:wait", 0, -1);
      const job = JSON.stringify([id, await redis.client.hGetAll(`bull:baanx-endings:${id}`)]);
      expect(job).toContain("sealed");
      expect(job).not.toContain(accessToken);

      running.push(await startWorkerProcess(queue));
      await waitUntil(() => expect(provider.isAlive(accessToken)).toBe(false));
      expect(endings(provider)).toEqual([LOGOUT, LOGOUT]);
    });

    it("ends the session that the cookie named before when somebody signs in", async () => {
      const one = await backEnd();
      await one.ask("POST", "/login", login());
      const [first = ""] = await tokensIn();
      await one.ask("POST", "/login", login());
      expect(provider.isAlive(first)).toBe(false);
      expect(await tokensIn()).toHaveLength(1);
      expect(await one.ask("GET", "/me")).toMatchObject({ status: 200 });
    });

    /** Returns a Redis whose commands of these names fail. */
    const withFailing = (...names: string[]) =>
      Object.assign(
        Object.create(redis.client),
        Object.fromEntries(names.map((name) => [name, () => Promise.reject(new Error("LOADING"))])),
      ) as typeof redis.client;

    const post = (
      path: string,
      body?: object,
      headers: Record<string, string> = {},
    ): [string, RequestInit] => [
      path,
      { method: "POST", headers, ...(body && { body: JSON.stringify(body) }) },
    ];

    it("ends a login that Redis did not store, answers 503, and leaves the session before alone", async () => {
      const before = await createApp(redis.client, settings()).request(...post("/login", login()));
      const [cookie = ""] = before.headers.getSetCookie().map((header) => header.split(";")[0] ?? "");
      const [first = ""] = await tokensIn();
      const failing = createApp(withFailing("hSet"), settings());
      const response = await failing.request(...post("/login", login(), { cookie }));
      expect(response.status).toBe(503);
      expect(response.headers.getSetCookie()).toEqual([]);
      expect(endings(provider)).toEqual([LOGOUT]);
      expect(await tokensIn()).toEqual([first]);
      expect(provider.isAlive(first)).toBe(true);
    });

    it("answers 503, and not 401, while Redis cannot be read", async () => {
      const before = await createApp(redis.client, settings()).request(...post("/login", login()));
      const [cookie = ""] = before.headers.getSetCookie().map((header) => header.split(";")[0] ?? "");
      const away = createApp(withFailing("hGetAll"), settings());
      expect((await away.request("/me", { headers: { cookie } })).status).toBe(503);
      expect((await away.request("/me")).status).toBe(401);
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

      it("keeps an ending that is written down while an older one is taken off", async () => {
        await refused();
        await flushPending(redis.client, settings());
        await flushWith(async () => {
          const [over] = (await recordsIn(storeOf(redis.client, "refused"))).over;
          if (!over) throw new Error("The older ending is not over.");
          await storeOf(redis.client, "refused").write(keyOf(over), serialize(over));
        });
        expect(await isListed()).toBe(true);
      });

      it("keeps what could not be read", async () => {
        await refused();
        await flushWith(() => Promise.reject(new Error("LOADING")));
        expect(await isListed()).toBe(true);
        expect(endings(provider)).toEqual([LOGOUT]);
      });
    });

    it("loses nothing when one process ends a session while another settles an older one", async () => {
      const [first, second] = [provider.login(), provider.login()];
      const one = sessionOf(redis.client, "shared", settings());
      await one.start({ ...first, grant: "login" });
      provider.misbehave({ path: LOGOUT, status: 403, times: 1 });
      expect(await one.logout()).toMatchObject({ server: "unconfirmed", local: "pending" });
      // Not to be flushed by start(), so that it is settled while the other ends.
      const store = storeOf(redis.client, "shared");
      const [older] = (await recordsIn(store)).pending;
      if (!older) throw new Error("The ending is not pending.");
      const { accessToken } = second;
      const startedAt = older.startedAt + 1;
      const live = { ...older, id: "newer", startedAt, tokens: { accessToken }, ending: undefined };
      await store.write(keyOf(live), serialize(live));

      const [settling, ending] = [0, 1].map(() => sessionOf(redis.client, "shared", settings()));
      await Promise.all([settling?.ready(), ending?.end()]);
      expect([first, second].map(({ accessToken }) => provider.isAlive(accessToken))).toEqual([false, false]);
      await waitUntil(async () => expect(await tokensIn()).toEqual([]));
    });

    it("ends a newer sign-in of the same user, which the process had not heard of", async () => {
      const one = sessionOf(redis.client, "shared", settings());
      await one.start({ ...provider.login(), grant: "login" });
      const newer = provider.login();
      await sessionOf(redis.client, "shared", settings()).start({ ...newer, grant: "login" });
      expect(await one.end()).toMatchObject({ server: "confirmed", local: "cleared" });
      expect(one.state).toBe("signed-out");
      expect(provider.isAlive(newer.accessToken)).toBe(false);
      expect(await tokensIn()).toEqual([]);
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

    it.each(["flush", "end"] as const)(
      "reports no false failure when two processes %s at once",
      async (method) => {
        const { id: _, ...tokens } = provider.authorize();
        const one = sessionOf(redis.client, "shared", settings());
        await one.start({ ...tokens, grant: "oauth" });
        if (method === "flush") {
          provider.misbehave({ path: REVOKE, status: 403, times: 1 });
          await one.revoke();
        }
        const both = [0, 1].map(() => sessionOf(redis.client, "shared", settings()));
        const ends = (await Promise.all(both.map((session) => session[method]()))).flat();
        for (const { server } of ends) expect(["confirmed", "already-invalid"]).toContain(server);
        expect(provider.isAlive(tokens.accessToken)).toBe(false);
        expect(provider.isAlive(tokens.refreshToken)).toBe(false);
        expect(await tokensIn()).toEqual([]);
      },
    );

    it("renews once for two processes, or finds what the other has renewed", async () => {
      const { id: _, ...tokens } = provider.authorize();
      await sessionOf(redis.client, "shared", settings()).start({ ...tokens, grant: "oauth" });
      provider.expire(tokens.accessToken);
      const both = [0, 1].map(() => sessionOf(redis.client, "shared", settings()));
      const answers = await Promise.all(both.map(({ client }) => client.GET("/v1/user")));
      expect(answers.map(({ response }) => response.status)).toEqual([200, 200]);
      expect(both.map(({ state }) => state)).toEqual(["active", "active"]);
      expect(provider.requests.filter(({ path, status }) => path === TOKEN && status === 200)).toHaveLength(
        1,
      );
    });
  },
);

/** The access tokens that Redis holds. */
async function tokensIn(): Promise<string[]> {
  const keys = await redis.client.keys("baanx:session:*");
  const stores = keys.map((key) => storeOf(redis.client, key.replace("baanx:session:", "")));
  const records = await Promise.all(stores.map(recordsIn));
  return records
    .flatMap(({ live, pending }) => [...live, ...pending])
    .map(({ tokens }) => tokens.accessToken);
}
