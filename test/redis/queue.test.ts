/** The queue of endings over a real Redis, with worker processes and a Redis that are really killed. */
import { Queue } from "bullmq";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { nextAfter } from "../../examples/server-queue/patience.ts";
import { type Ending, endNow, jobOf, openQueue, QUEUE } from "../../examples/server-queue/queue.ts";
import { createSeal } from "../../examples/server-queue/seal.ts";
import { startWorker } from "../../examples/server-queue/work.ts";
import { SessionError } from "../../src/index.ts";
import { createSandboxApp, type SandboxApp } from "../../src/sandbox/sandbox.ts";
import { type RunningServer, startServer } from "../../src/sandbox/server.ts";
import { endings, LOGOUT, REVOKE } from "../support.ts";
import { hasRedis } from "./processes.ts";
import { runCommand, startLastingRedis, startWorkerProcess } from "./queue-processes.ts";

/** How many endings the large test plays; 100,000 take minutes. */
const ENDINGS = Number(process.env["QUEUE_ENDINGS"] ?? 2_000);
const WORKERS = 4;
const CONCURRENCY = 8;
const KEY = "0123456789abcdef".repeat(4);
const pace = { concurrency: 1, perSecond: 10_000, lock: 30_000 };
const HOUR = 3_600_000;

let redis: Awaited<ReturnType<typeof startLastingRedis>>;
let provider: SandboxApp;
let server: RunningServer;
/** When each request came, in ms. */
let times: number[];
const open: { close(): Promise<unknown> }[] = [];

beforeAll(async () => {
  if (hasRedis) redis = await startLastingRedis();
});
afterAll(() => redis?.stop());
beforeEach(async () => {
  provider = createSandboxApp();
  times = [];
  const app: SandboxApp["app"]["fetch"] = (...args) => {
    times.push(performance.now());
    return provider.app.fetch(...args);
  };
  server = await startServer({ app: { fetch: app } });
  await redis?.client.flushall();
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
  await server.close();
});

const seal = createSeal(KEY);
const options = () => ({ baseUrl: server.url, clientKey: provider.clientKey });
const environment = () => ({
  REDIS_URL: redis.url,
  BAANX_BASE_URL: server.url,
  BAANX_CLIENT_KEY: provider.clientKey,
  ENDINGS_KEY: KEY,
  CONCURRENCY: `${CONCURRENCY}`,
  PER_SECOND: "100000",
  LOCK_MS: "5000",
});
const waitUntil = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 20_000, interval: 20 });

function queueHere() {
  const queue = openQueue(redis.client);
  open.push(queue);
  return queue;
}

function workerHere(given = pace) {
  const worker = startWorker({ redis: redis.client, queue: queueHere(), seal, api: options(), ...given });
  open.push(worker);
  return worker;
}

async function workers(count: number) {
  const all = await Promise.all(Array.from({ length: count }, () => startWorkerProcess(environment())));
  open.push(...all.map(({ stop }) => ({ close: stop })));
  return all;
}

const logoutOf = (accessToken: string): Ending => ({
  accessToken,
  place: { baseUrl: server.url, grant: "login", region: "international" },
});
const isAlive = (token: string) => provider.isAlive(token);

async function addLogouts(count: number): Promise<string[]> {
  const tokens = Array.from({ length: count }, () => provider.login().accessToken);
  await queueHere().addBulk(tokens.map((token) => jobOf(seal, logoutOf(token))));
  return tokens;
}

// A machine without Redis says so; in a pipeline a skipped test counts as failed.
describe.skipIf(!hasRedis)(
  hasRedis ? "endings as jobs" : "skipped: redis-server is not installed (Debian: redis-server)",
  () => {
    it("ends every token of a list though a worker and Redis are killed, and asks few of them twice", async () => {
      const tokens = Array.from({ length: ENDINGS }, () => provider.login().accessToken);
      const all = await workers(WORKERS);
      const begun = performance.now();
      const lines = tokens.map((accessToken, id) => `${JSON.stringify({ accessToken, id })}\n`);
      const listed = runCommand("enqueue", ["logout"], environment(), lines);
      const reached = (share: number) =>
        vi.waitFor(() => expect(provider.requests.length).toBeGreaterThan(ENDINGS * share), {
          timeout: 600_000,
          interval: 2,
        });
      await reached(0.25);
      await all[0]?.kill();
      await reached(0.5);
      await redis.killAndRestart();
      const { code, results, said, out } = await listed;

      expect(said).toMatch(/confirmed/);
      expect(code).toBe(0);
      expect(tokens.filter(isAlive)).toEqual([]);
      // Each line has its result, in the list's order.
      expect(results.map(({ id }) => id)).toEqual(tokens.map((_, id) => id));
      for (const { server } of results) expect(["confirmed", "already-invalid"]).toContain(server);
      const twice = provider.requests.length - ENDINGS;
      // What the killed worker had under way, and what all had under way when Redis was killed.
      expect(twice).toBeLessThanOrEqual(CONCURRENCY + WORKERS * CONCURRENCY);
      // No token was ever written: not in the list of results, nor in the file of Redis.
      const logs = all.map((one) => one.said()).join();
      const texts = { out, said, logs, file: redis.file() };
      expect(texts.file.length).toBeGreaterThan(ENDINGS * 100);
      const withTokens = Object.entries(texts).filter(([, text]) => text.includes("sandbox-"));
      expect(withTokens.map(([name]) => name)).toEqual([]);
      const seconds = (performance.now() - begun) / 1_000;
      const rate = Math.round(ENDINGS / seconds);
      console.log(`${ENDINGS} endings in ${seconds.toFixed(1)} s, ${rate}/s; ${twice} sent twice. ${said}`);
    }, 900_000);

    it("keeps all workers from asking as long as Retry-After says", async () => {
      provider.misbehave({ path: LOGOUT, status: 429, headers: { "retry-after": "2" }, times: 1 });
      const tokens = await addLogouts(30);
      for (let count = 0; count < 3; count++) workerHere();
      await waitUntil(() => expect(tokens.filter(isAlive)).toEqual([]));
      const [first = 0] = times;
      // Besides the one that was refused, only what the others had begun before they could know.
      const meanwhile = times.filter((time) => time - first < 2_000).length;
      expect(meanwhile).toBeLessThan(30);
      const pause = Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? 0)));
      expect(pause).toBeGreaterThan(1_500);
      expect(times).toHaveLength(31);
    });

    it("has one limit for all workers", async () => {
      const begun = performance.now();
      const tokens = await addLogouts(25);
      for (let count = 0; count < 3; count++) workerHere({ ...pace, perSecond: 10 });
      await waitUntil(() => expect(tokens.filter(isAlive)).toEqual([]));
      // 10, 10 and 5: the last ones wait for two seconds, whichever worker takes them.
      expect((times.at(-1) ?? 0) - begun).toBeGreaterThan(2_000);
    });

    it("gives up after six hours, and operators read that and try again", async () => {
      const { accessToken } = provider.login();
      const job = jobOf(seal, logoutOf(accessToken));
      await queueHere().add(job.name, { ...job.data, since: Date.now() - 6 * HOUR }, job.opts);
      const worker = workerHere();
      await waitUntil(async () => expect(await queueHere().getFailedCount()).toBe(1));
      expect(times).toEqual([]);

      const read = await runCommand("dead-letters", [], environment());
      expect(read.results).toEqual([
        expect.objectContaining({
          endpoint: "logout",
          reason: "expired: six hours have passed",
          region: "international",
        }),
      ]);
      expect(read.out).not.toContain(accessToken);
      await worker.close();
      const retried = await runCommand("dead-letters", ["--retry"], environment());
      expect(retried.results).toHaveLength(1);
      workerHere();
      await waitUntil(() => expect(isAlive(accessToken)).toBe(false));
      await waitUntil(async () => expect(await queueHere().getFailedCount()).toBe(0));
    });

    it("makes a dead letter at once of a revocation that meets 401", async () => {
      const { accessToken } = provider.authorize();
      provider.expire(accessToken);
      const { place } = logoutOf(accessToken);
      const { name, data, opts } = jobOf(seal, { accessToken, place: { ...place, grant: "oauth" } });
      await queueHere().add(name, data, opts);
      workerHere();
      await waitUntil(async () => {
        const [job] = await queueHere().getFailed();
        expect(job?.failedReason).toMatch(/^unauthorized: status 401 /);
      });
      expect(endings(provider)).toEqual([REVOKE]);
    });

    it("makes one job of a token, however often it is added", async () => {
      const queue = queueHere();
      const ending = { ...logoutOf(provider.login().accessToken), run: "run" };
      await queue.addBulk([ending, ending, { ...ending, run: "other" }].map((one) => jobOf(seal, one)));
      expect(await queue.count()).toBe(2);
    });

    it.each([
      {
        env: { ENDINGS_KEY: "short" },
        says: "ENDINGS_KEY must be 64 hexadecimal digits (openssl rand -hex 32), or several such, with commas.\n",
      },
      { env: { TIMEOUT_MS: "60001" }, says: "TIMEOUT_MS must be a whole number, from 1 to 60000.\n" },
    ])("names a setting that is not valid, and adds nothing: $says", async ({ env, says }) => {
      const all = { ...environment(), ...env };
      const { code, said } = await runCommand("enqueue", ["logout"], all, ['{"accessToken":"a"}\n']);
      expect(said).toBe(says);
      expect(code).toBe(2);
      expect(await queueHere().count()).toBe(0);
    });

    it("counts a 401 as ended only in a region where a token was confirmed", async () => {
      await workers(1);
      const dead = provider.login().accessToken;
      provider.expire(dead);
      const line = (accessToken: string) => `${JSON.stringify({ accessToken })}\n`;
      const alone = await runCommand("enqueue", ["logout", "--run", "alone"], environment(), [line(dead)]);
      expect(alone.results).toMatchObject([
        { line: 1, server: "unconfirmed", error: { code: "unauthorized" } },
      ]);
      expect(alone.code).toBe(1);
      const living = provider.login().accessToken;
      const list = [line(dead), '{"accessToken": 1}\n', line(living)];
      const both = await runCommand("enqueue", ["logout", "--run", "both"], environment(), list);
      expect(both.results).toMatchObject([
        { line: 2, invalid: "accessToken must be a text" },
        { line: 1, server: "already-invalid" },
        { line: 3, server: "confirmed" },
      ]);
      expect(both.code).toBe(1);
      // The same run again sends nothing, and says the same.
      const asked = times.length;
      const again = await runCommand("enqueue", ["logout", "--run", "both"], environment(), list);
      expect(again.results).toEqual(both.results);
      expect(times).toHaveLength(asked);
    });

    it("leaves to the workers what a request could not confirm, and nothing else", async () => {
      const queue = queueHere();
      const [first, second] = [provider.login(), provider.login()];
      const given = { ...options(), timeout: 300, retries: 0 };
      const confirmed = await endNow(queue, seal, given, { ...first, grant: "login" });
      expect(confirmed).toMatchObject({ server: "confirmed", isQueued: false });
      expect(await queue.count()).toBe(0);
      provider.misbehave({ path: LOGOUT, status: 503, times: 1 });
      const unconfirmed = await endNow(queue, seal, given, { ...second, grant: "login" });
      expect(unconfirmed).toMatchObject({ server: "unconfirmed", isQueued: true });
      workerHere();
      await waitUntil(() => expect(isAlive(second.accessToken)).toBe(false));
      await waitUntil(async () => expect(await queue.count()).toBe(0));
      expect(endings(provider)).toHaveLength(3);
    });

    it("says that a request has left nothing where Redis is away", async () => {
      // Nothing listens at this port.
      const away = new Queue(QUEUE, { connection: { port: 1, maxRetriesPerRequest: null } });
      away.on("error", () => {});
      provider.misbehave({ path: LOGOUT, status: 503, times: 1 });
      const given = { ...options(), timeout: 300, retries: 0 };
      const end = await endNow(away, seal, given, { ...provider.login(), grant: "login" });
      expect(end).toMatchObject({ server: "unconfirmed", isQueued: false });
      await away.close();
    });
  },
);

describe("a sealed token", () => {
  const place = { baseUrl: "https://dev.api.baanx.com", grant: "login", region: "us" } as const;
  const token = "US_example-token";

  it("opens with its key, by the old one too, and in its place alone", () => {
    const sealed = seal.close(token, place);
    expect(sealed).not.toBe(seal.close(token, place));
    const newer = "f".repeat(64);
    expect(createSeal(`${newer},${KEY}`).open(sealed, place)).toBe(token);
    expect(() => createSeal(newer).open(sealed, place)).toThrow(/^sealed: /);
    for (const other of [{ region: "international" }, { grant: "oauth" }, { baseUrl: "https://example.com" }])
      expect(() => seal.open(sealed, { ...place, ...(other as object) })).toThrow(/^sealed: /);
    const altered = Buffer.from(sealed, "base64");
    altered[30] = (altered[30] ?? 0) ^ 1;
    expect(() => seal.open(altered.toString("base64"), place)).toThrow(/^sealed: /);
  });

  it("wants a key", () => {
    for (const key of [undefined, "", "short", `${KEY},`])
      expect(() => createSeal(key)).toThrow(/ENDINGS_KEY/);
  });
});

describe("the patience of a job", () => {
  const since = 1_000_000;
  const next = (error: Error, failed: number, now = since) =>
    nextAfter(error, { begun: failed, failed, since }, now);
  const errors = (code: ConstructorParameters<typeof SessionError>[0]) => new SessionError(code);

  it("waits longer each time, up to five minutes, and never beyond six hours", () => {
    for (const [failed, least, most] of [
      [1, 500, 1_000],
      [4, 4_000, 8_000],
      [1_000, 150_000, 300_000],
    ] as const) {
      const { wait } = next(errors("server-error"), failed) as { wait: number };
      expect(wait).toBeGreaterThanOrEqual(least);
      expect(wait).toBeLessThanOrEqual(most);
    }
    expect(next(errors("network"), 1_000, since + 6 * HOUR - 10)).toEqual({ wait: 10 });
    expect(next(errors("network"), 1_000, since + 6 * HOUR)).toBe("give-up");
  });

  it("pauses all where the server asks to wait, whatever its status", () => {
    const busy = new SessionError("server-error", undefined, { status: 503, retryAfter: 7_000 });
    expect(next(busy, 1)).toEqual({ pauseAll: 7_000 });
    expect(next(errors("rate-limited"), 3)).toEqual({ pauseAll: 4_000 });
  });

  it("gives up sooner what another request does not change", () => {
    expect(next(errors("unauthorized"), 1)).toBe("give-up");
    expect(next(errors("rejected"), 4)).not.toBe("give-up");
    expect(next(errors("rejected"), 5)).toBe("give-up");
    // A key that was refused may be put right meanwhile.
    expect(next(errors("client-key-invalid"), 1_000)).not.toBe("give-up");
  });
});
