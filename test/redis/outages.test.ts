/**
 * Servers of stores that restart, fill up, lose what they acknowledged, or hand over to a replica, with sign-ins and
 * endings in flight. A process that lives on loses no token, and reports no more than the API and the store know.
 */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { Pool } from "pg";
import { createClient } from "redis";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { type SessionEnd, SessionError, type SessionStart, type TokenStore } from "../../src/index.ts";
import { createSandboxApp, type SandboxApp } from "../../src/sandbox/sandbox.ts";
import { POSTGRES_TABLE, postgresStore } from "../../src/stores/postgres.ts";
import { type NodeRedis, redisStore } from "../../src/stores/redis.ts";
import { LOGOUT, setup } from "../support.ts";
import { describePostgres, startPostgres } from "./postgres.ts";
import { describeRedis, startRedis } from "./processes.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A store whose server fails in a way of its own. */
interface Outage {
  store(name: string): TokenStore;
  /** From here on the store fails, or has lost something. */
  begin(): Promise<unknown>;
  end(): Promise<unknown>;
  /** Loses sessions: a process that holds one ends it. */
  isLossy?: true;
}

/** A client as a back end has one: it connects again by itself, and its commands fail at once in the meantime. */
async function clientOf(url: string) {
  const client = createClient({ url, disableOfflineQueue: true, socket: { reconnectStrategy: 20 } });
  client.on("error", () => {});
  await client.connect();
  closing.push(() => client.destroy());
  return client;
}

async function oneRedis(options: Record<string, string> = {}) {
  const redis = await startRedis(options);
  closing.push(redis.stop);
  const client = await clientOf(redis.url);
  return { redis, client, store: (name: string) => redisStore(client as NodeRedis, name) };
}

/** One address for two servers, as a load balancer or the name of a cluster is. */
async function startProxy(port: number) {
  let target = port;
  const sockets = new Set<Socket>();
  const server = createServer((incoming) => {
    const outgoing = connect(target, "127.0.0.1");
    for (const [one, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on("error", () => {}).on("close", () => other.destroy());
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return {
    url: `redis://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
    switchTo(next: number) {
      target = next;
      for (const socket of sockets) socket.destroy();
    },
  };
}

const redisOutages: Record<string, () => Promise<Outage>> = {
  async "restarts with the content of its file"() {
    const { redis, store } = await oneRedis({ appendonly: "yes", appendfsync: "always" });
    return { store, begin: redis.kill, end: redis.restart };
  },
  async "restarts without its data"() {
    const { redis, store } = await oneRedis();
    return { isLossy: true, store, begin: redis.kill, end: redis.restart };
  },
  async "runs out of memory"() {
    const { client, store } = await oneRedis();
    const limit = (bytes: string) => client.configSet("maxmemory", bytes);
    return { store, begin: () => limit("1"), end: () => limit("0") };
  },
  async "evicts every session"() {
    const { client, store } = await oneRedis({ "maxmemory-policy": "volatile-lru" });
    const limit = (bytes: string) => client.configSet("maxmemory", bytes);
    return { isLossy: true, store, begin: () => limit("1"), end: () => limit("0") };
  },
  async "is flushed"() {
    const { client, store } = await oneRedis();
    return { isLossy: true, store, begin: () => client.flushAll(), end: async () => {} };
  },
  async "fails over to a replica that lags behind"() {
    // A replica is served at once.
    const { redis } = await oneRedis({ "repl-diskless-sync-delay": "0" });
    const { redis: replica } = await oneRedis();
    await replica.client.replicaOf("127.0.0.1", redis.port);
    const isInStep = async () => expect(await replica.client.info("replication")).toContain("status:up");
    await vi.waitFor(isInStep, { timeout: 20_000, interval: 20 });
    const proxy = await startProxy(redis.port);
    const client = await clientOf(proxy.url);
    let isLagging = false;
    return {
      store(name) {
        const store = redisStore(client as NodeRedis, name);
        return {
          ...store,
          async write(key, text) {
            // The last acknowledged ending does not reach the replica.
            if (key.startsWith("ended.") && !isLagging) {
              isLagging = true;
              await client.wait(1, 5_000);
              await replica.client.sendCommand(["REPLICAOF", "NO", "ONE"]);
            }
            await store.write(key, text);
          },
        };
      },
      begin: redis.kill,
      end: async () => proxy.switchTo(replica.port),
    };
  },
};

let postgres: Awaited<ReturnType<typeof startPostgres>>;

async function poolOf() {
  const pool = new Pool({ connectionString: postgres.url, connectionTimeoutMillis: 300 });
  // Without a listener, a restart of the server ends the process.
  pool.on("error", () => {});
  closing.push(() => pool.end());
  await pool.query(`DROP TABLE IF EXISTS baanx_session; ${POSTGRES_TABLE}`);
  return { pool, store: (name: string) => postgresStore(pool, name) };
}

const postgresOutages: Record<string, () => Promise<Outage>> = {
  async restarts() {
    const { store } = await poolOf();
    return { store, begin: postgres.kill, end: postgres.restart };
  },
  async "drops every connection"() {
    const { pool, store } = await poolOf();
    const others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()";
    return { store, begin: () => pool.query(others), end: async () => {} };
  },
  async "loses the table"() {
    const { pool, store } = await poolOf();
    return {
      isLossy: true,
      store,
      begin: () => pool.query("DROP TABLE baanx_session"),
      end: () => pool.query(POSTGRES_TABLE),
    };
  },
};

/** Fails if a report is not true, by the sandbox's own records and by the content of the store. */
async function checkEnd(
  provider: SandboxApp,
  token: string,
  { server, local, error, storeError }: SessionEnd,
  store: TokenStore,
): Promise<void> {
  const answers = provider.requests
    .filter(({ authorization }) => authorization === `Bearer ${token}`)
    .map(({ status }) => status);
  if (server === "confirmed") expect(answers).toContain(200);
  if (server === "already-invalid") expect(answers).toContain(401);
  expect(["confirmed", "already-invalid", "unconfirmed"]).toContain(server);
  if (server !== "unconfirmed") expect(provider.isAlive(token)).toBe(false);
  expect(error === undefined).toBe(server !== "unconfirmed");
  expect(storeError === undefined).toBe(local !== "failed");
  const held = await Promise.resolve(store.read()).catch(() => undefined);
  if (local === "cleared" && held) expect(JSON.stringify(held)).not.toContain(token);
}

async function play(outage: Outage): Promise<void> {
  const provider = createSandboxApp();
  /** A session of a process that lives through the outage, signed in. */
  async function signedIn(name: string) {
    const store = outage.store(name);
    const one = setup({ store, retries: 0, timeout: 700 }, provider);
    const tokens = provider.login();
    const started = one.session.start({ ...tokens, grant: "login" });
    return { ...one, store, token: tokens.accessToken, started };
  }
  const refuse = () => provider.misbehave({ path: LOGOUT, status: 403 });

  const [idle, ended, ending, refused] = await Promise.all(
    ["idle", "ended", "ending", "refused"].map(signedIn),
  );
  const pending = await signedIn("pending");
  if (!idle || !ended || !ending || !refused) throw new Error("A session is missing.");
  for (const { started } of [idle, ended, ending, refused, pending])
    expect(await started).toEqual({ local: "stored" });
  expect(await ended.session.end()).toMatchObject({ server: "confirmed", local: "cleared" });
  let accept = refuse();
  expect(await pending.session.end()).toMatchObject({ server: "unconfirmed", local: "pending" });
  accept();

  // In flight while it begins, and while it lasts.
  const inFlight = Promise.all([ending.session.end(), signedIn("starting").then(withResult)]);
  await outage.begin();
  const [end, starting] = await inFlight;
  await checkEnd(provider, ending.token, end, ending.store);
  const late = await withResult(await signedIn("late"));
  for (const { result, token, store } of [starting, late]) {
    expect(result.storeError === undefined).toBe(result.local !== "failed");
    if (result.storeError) expect(result.storeError).toBeInstanceOf(SessionError);
    expect(JSON.stringify(result)).not.toContain(token);
    const held = await Promise.resolve(store.read()).catch(() => undefined);
    if (result === late.result && result.local === "stored") expect(JSON.stringify(held)).toContain(token);
  }
  accept = refuse();
  const refusal = await refused.session.end();
  await checkEnd(provider, refused.token, refusal, refused.store);
  expect(refusal.server).toBe("unconfirmed");
  expect(provider.isAlive(refused.token)).toBe(true);
  accept();

  await outage.end();
  const all = [idle, ended, ending, refused, pending, starting, late];
  // Twice: a store may connect again only at a call.
  await vi.waitFor(
    async () => {
      for (const { session } of all) await session.flush();
      for (const { session } of all) expect(session.pending).toBe(0);
      for (const { token, store, session } of all) {
        const held = JSON.stringify(await store.read());
        // A living token is stored, and its process shows the session. The store holds no other token.
        expect([held.includes(token), session.state === "active"]).toEqual([
          provider.isAlive(token),
          provider.isAlive(token),
        ]);
      }
    },
    { timeout: 20_000, interval: 50 },
  );
  for (const { token } of [ended, ending, refused, pending]) expect(provider.isAlive(token)).toBe(false);
  expect(provider.isAlive(idle.token)).toBe(!outage.isLossy);
}

type Starting = { started: Promise<SessionStart> };
const withResult = async <T extends Starting>(one: T) => ({ ...one, result: await one.started });

describeRedis("a process over Redis", () => {
  it.each(Object.keys(redisOutages))("loses no token and no ending while Redis %s", async (name) => {
    const start = redisOutages[name];
    if (start) await play(await start());
  });
});

describePostgres("a process over PostgreSQL", () => {
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  it.each(Object.keys(postgresOutages))("loses no token and no ending while the server %s", async (name) => {
    const start = postgresOutages[name];
    if (start) await play(await start());
  });
});
