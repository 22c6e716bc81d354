/** The queue of endings over a real Redis, with worker processes and a Redis that are really killed. */
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { addEnding, endNow, openQueue, QUEUE } from "../../examples/server-queue/queue.ts";
import { createSeal, type Place } from "../../examples/server-queue/seal.ts";
import { backoff, startWorker } from "../../examples/server-queue/work.ts";
import { createSandboxApp, type SandboxApp } from "../../src/sandbox/sandbox.ts";
import { type RunningServer, startServer } from "../../src/sandbox/server.ts";
import { endings, LOGOUT, REVOKE } from "../support.ts";
import {
  describeRedis,
  hasRedis,
  KEY,
  OLDER_KEY,
  runToEnd,
  startRedis,
  startWorkerProcess,
} from "./processes.ts";

/** How many endings the large test plays; 100,000 take minutes. */
const ENDINGS = Number(process.env["QUEUE_ENDINGS"] ?? 600);
const WORKERS = 3;
const CONCURRENCY = 8;
const pace = { concurrency: 1, perSecond: 10_000, lock: 30_000 };
const HOUR = 3_600_000;

let redis: Awaited<ReturnType<typeof startRedis>>;
let connection: Redis;
let provider: SandboxApp;
let server: RunningServer;
/** When each request came, in ms. */
let times: number[];
const open: { close(): Promise<unknown> }[] = [];

beforeAll(async () => {
  if (!hasRedis) return;
  redis = await startRedis({ appendonly: "yes", rdbcompression: "no" });
  connection = new Redis(redis.url, { maxRetriesPerRequest: null });
  // Redis is killed while it is connected.
  connection.on("error", () => {});
});
afterAll(async () => {
  connection?.disconnect();
  await redis?.stop();
});
beforeEach(async () => {
  provider = createSandboxApp();
  times = [];
  const app: SandboxApp["app"]["fetch"] = (...args) => {
    times.push(performance.now());
    return provider.app.fetch(...args);
  };
  server = await startServer({ app: { fetch: app } });
  await connection?.flushall();
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
  const queue = openQueue(connection);
  open.push(queue);
  return queue;
}

function workerHere(given = pace, opened = seal) {
  const of = { redis: connection, queue: queueHere(), seal: opened, api: options() };
  const worker = startWorker({ ...of, ...given });
  open.push(worker);
  return worker;
}

async function workers(count: number, env = {}) {
  const started = Array.from({ length: count }, () => startWorkerProcess({ ...environment(), ...env }));
  const all = await Promise.all(started);
  open.push(...all.map(({ stop }) => ({ close: stop })));
  return all;
}

const region = "international";
const place = (grant: Place["grant"] = "login"): Place => ({ baseUrl: server.url, grant, region });
const isAlive = (token: string) => provider.isAlive(token);
const add = (accessToken: string, grant?: Place["grant"], delay?: number) =>
  addEnding(queueHere(), seal, { accessToken, place: place(grant) }, delay);

async function addLogouts(count: number): Promise<string[]> {
  const queue = queueHere();
  const tokens = Array.from({ length: count }, () => provider.login().accessToken);
  await Promise.all(tokens.map((accessToken) => addEnding(queue, seal, { accessToken, place: place() })));
  return tokens;
}

/** Waits for the dead letters, and returns their reasons. */
async function reasons(count: number): Promise<(string | undefined)[]> {
  await waitUntil(async () => expect(await queueHere().getFailedCount()).toBe(count));
  return (await queueHere().getFailed()).map(({ failedReason }) => failedReason);
}

describeRedis("endings as jobs", () => {
  it("ends every token though a worker and Redis are killed, and asks few of them twice", async () => {
    const tokens = await addLogouts(ENDINGS);
    const all = await workers(WORKERS);
    const reached = (share: number) =>
      vi.waitFor(() => expect(provider.requests.length).toBeGreaterThan(ENDINGS * share), {
        timeout: 600_000,
        interval: 2,
      });
    await reached(0.25);
    await all[0]?.kill();
    await reached(0.5);
    await redis.kill();
    await redis.restart();
    await vi.waitFor(() => expect(tokens.filter(isAlive)).toEqual([]), { timeout: 600_000, interval: 50 });
    await waitUntil(async () => expect(await queueHere().count()).toBe(0));

    const twice = provider.requests.length - ENDINGS;
    // The requests in flight of the killed worker, and those of all workers when Redis was killed.
    expect(twice).toBeLessThanOrEqual(CONCURRENCY + WORKERS * CONCURRENCY);
    expect(await queueHere().getFailedCount()).toBe(0);
    // No token was ever written, neither to a log nor to the file of Redis.
    const logs = all.map((one) => one.said()).join();
    expect(redis.file().length).toBeGreaterThan(ENDINGS * 100);
    for (const text of [logs, redis.file()]) expect(text).not.toContain("sandbox-");
    console.log(`${ENDINGS} endings, ${twice} sent twice.`);
  }, 900_000);

  it("keeps all workers from asking as long as Retry-After says", async () => {
    provider.misbehave({ path: LOGOUT, status: 429, headers: { "retry-after": "2" }, times: 1 });
    const tokens = await addLogouts(30);
    for (let count = 0; count < 3; count++) workerHere();
    await waitUntil(() => expect(tokens.filter(isAlive)).toEqual([]));
    const [first = 0] = times;
    // The refused request, and requests that began before the other workers could know.
    const early = times.filter((time) => time - first < 2_000).length;
    expect(early).toBeLessThan(30);
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
    const job = await add(accessToken);
    await job.updateData({ ...job.data, since: Date.now() - 6 * HOUR });
    const worker = workerHere();
    expect(await reasons(1)).toEqual(["expired: six hours have passed"]);
    expect(times).toEqual([]);

    const read = await runToEnd("server-queue/dead-letters", [], environment());
    expect(read.results).toEqual([
      expect.objectContaining({
        endpoint: "logout",
        reason: "expired: six hours have passed",
        region: "international",
      }),
    ]);
    expect(read.out).not.toContain(accessToken);
    await worker.close();
    const retried = await runToEnd("server-queue/dead-letters", ["--retry"], environment());
    expect(retried.results).toHaveLength(1);
    workerHere();
    await waitUntil(() => expect(isAlive(accessToken)).toBe(false));
    expect(await reasons(0)).toEqual([]);
  });

  it("makes a dead letter at once of a revocation that meets 401", async () => {
    const { accessToken } = provider.authorize();
    provider.expire(accessToken);
    await add(accessToken, "oauth");
    workerHere();
    expect(await reasons(1)).toEqual([expect.stringMatching(/^unauthorized: status 401, /)]);
    expect(endings(provider)).toEqual([REVOKE]);
  });

  it("retries a refused ending a few times only", async () => {
    provider.misbehave({ path: LOGOUT, status: 403 });
    const job = await add(provider.login().accessToken);
    await job.updateData({ ...job.data });
    // Four failures are behind it.
    await redis.client.hSet(`bull:${QUEUE}:${job.id}`, "atm", "4");
    workerHere();
    expect(await reasons(1)).toEqual([expect.stringMatching(/^rejected: status 403/)]);
    expect(times).toHaveLength(1);
  });

  it("makes one job of a token, however often it is added", async () => {
    const { accessToken } = provider.login();
    await Promise.all([add(accessToken), add(accessToken), add(accessToken, "oauth")]);
    expect(await queueHere().count()).toBe(2);
  });

  it("retries a dead letter whose token is to be ended again", async () => {
    const { accessToken } = provider.login();
    const job = await add(accessToken);
    await job.updateData({ ...job.data, since: 0 });
    const worker = workerHere();
    expect(await reasons(1)).toEqual(["expired: six hours have passed"]);
    await worker.close();

    const given = { ...options(), timeout: 300, retries: 0 };
    provider.misbehave({ path: LOGOUT, status: 503, times: 1 });
    const end = await endNow(queueHere(), seal, given, { accessToken, grant: "login" });
    expect(end).toMatchObject({ server: "unconfirmed", isQueued: true });
    expect(isAlive(accessToken)).toBe(true);
    expect(await reasons(0)).toEqual([]);
    workerHere();
    await waitUntil(() => expect(isAlive(accessToken)).toBe(false));
  });

  it("survives jobs that anybody may have changed, and ends the others", async () => {
    const queue = queueHere();
    const good = await add(provider.login().accessToken);
    const { data } = good;
    const poisoned: object[] = [
      {},
      { ...data, since: -1e20 },
      { ...data, since: "now" },
      { ...data, sealed: 7 },
      { ...data, region: "mars" },
      { ...data, grant: ["login"] },
      [],
    ];
    for (const [index, one] of poisoned.entries())
      await queue.add("login", one as never, { jobId: `poison-${index}` });
    workerHere();
    expect(await reasons(poisoned.length)).toEqual(poisoned.map(() => "invalid: not the data of an ending"));
    await waitUntil(() => expect(times).toHaveLength(1));
    // A hash whose fields are not JSON, one without an entry, and invalid times.
    await redis.client.hSet(`bull:${QUEUE}:poison-0`, { data: "{", opts: "{" });
    await redis.client.hSet(`bull:${QUEUE}:poison-1`, "finishedOn", "never");
    await redis.client.zAdd(`bull:${QUEUE}:failed`, { score: 1, value: "poison-missing" });
    const { code, results, said } = await runToEnd("server-queue/dead-letters", ["--retry"], environment());
    expect(said).toBe("");
    expect(code).toBe(0);
    expect(results.map(({ id }) => id).sort()).toEqual([
      ...poisoned.map((_, index) => `poison-${index}`),
      "poison-missing",
    ]);
  });

  it("ends the other tokens although a job in the queue is not JSON", async () => {
    const bad = await add(provider.login().accessToken, "login");
    await redis.client.hSet(`bull:${QUEUE}:${bad.id}`, { data: "{" });
    const tokens = await addLogouts(5);
    workerHere({ ...pace, lock: 1_000 });
    await waitUntil(() => expect(tokens.filter(isAlive)).toEqual([]));
  });

  it("opens the jobs of the older key after a change of keys, and retires it", async () => {
    const older = createSeal(OLDER_KEY);
    const { accessToken } = provider.login();
    await addEnding(queueHere(), older, { accessToken, place: place() });
    workerHere(pace, createSeal(`${KEY},${OLDER_KEY}`));
    await waitUntil(() => expect(isAlive(accessToken)).toBe(false));
  });

  it("stops at the first SIGTERM while Redis is away", async () => {
    const [worker] = await workers(1, { TIMEOUT_MS: "500" });
    await redis.kill();
    try {
      // Its own exit, and not the end by a signal that it does not handle.
      expect(await worker?.stop()).toEqual({ code: 0, signal: null });
    } finally {
      await redis.restart();
    }
  });

  it("warns of a Redis that may evict jobs, by the name of its policy", async () => {
    await redis.client.configSet("maxmemory-policy", "volatile-lru");
    try {
      const [worker] = await workers(1);
      await waitUntil(() => expect(worker?.said()).toContain("volatile-lru"));
    } finally {
      await redis.client.configSet("maxmemory-policy", "noeviction");
    }
  });

  it.each([
    {
      env: { ENDINGS_KEY: "short" },
      says: "ENDINGS_KEY must be 64 hexadecimal digits (openssl rand -hex 32), or several such, with commas.\n",
    },
    { env: { TIMEOUT_MS: "60001" }, says: "TIMEOUT_MS must be a whole number, from 1 to 60000.\n" },
  ])("names a setting that is not valid, and does no work: $says", async ({ env, says }) => {
    const { code, said } = await runToEnd("server-queue/worker", [], { ...environment(), ...env });
    expect(said).toBe(says);
    expect(code).toBe(2);
  });

  it("leaves only unconfirmed endings of a request to the workers", async () => {
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
});

describe("a sealed token", () => {
  const place = { baseUrl: "https://dev.api.baanx.com", grant: "login", region: "us" } as const;
  const token = "US_example-token";

  it("opens with its key, by the old one too, and in its place alone", () => {
    const sealed = seal.close(token, place);
    expect(sealed).not.toBe(seal.close(token, place));
    expect(createSeal(`${OLDER_KEY},${KEY}`).open(sealed, place)).toBe(token);
    expect(() => createSeal(OLDER_KEY).open(sealed, place)).toThrow(/^sealed: /);
    for (const other of [{ region: "international" }, { grant: "oauth" }, { baseUrl: "https://example.com" }])
      expect(() => seal.open(sealed, { ...place, ...(other as object) })).toThrow(/^sealed: /);
    const altered = Buffer.from(sealed, "base64");
    altered[30] = (altered[30] ?? 0) ^ 1;
    expect(() => seal.open(altered.toString("base64"), place)).toThrow(/^sealed: /);
  });

  it("refuses a key that is missing, malformed or not random", () => {
    for (const key of [undefined, "", "short", `${KEY},`])
      expect(() => createSeal(key)).toThrow(/^ENDINGS_KEY must be 64 hexadecimal digits/);
    for (const weak of ["0".repeat(64), "f".repeat(64), "0123456789abcdef".repeat(4)])
      for (const keys of [weak, `${KEY},${weak}`])
        expect(() => createSeal(keys)).toThrow(/^ENDINGS_KEY must be random/);
  });
});

it("waits longer after each failure of a job, up to five minutes", () => {
  for (const [attempt, least, most] of [
    [1, 500, 1_000],
    [4, 4_000, 8_000],
    [1_000_000, 150_000, 300_000],
  ] as const) {
    expect(backoff(attempt)).toBeGreaterThanOrEqual(least);
    expect(backoff(attempt)).toBeLessThanOrEqual(most);
  }
});
