/** The stores for a back end over real servers, with both clients of Redis and with processes that are killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Redis } from "ioredis";
import { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createSandboxApp } from "../../src/sandbox/sandbox.ts";
import { startServer } from "../../src/sandbox/server.ts";
import { POSTGRES_TABLE, postgresStore } from "../../src/stores/postgres.ts";
import { redisStore } from "../../src/stores/redis.ts";
import { behavesAsStore } from "../store-kinds.ts";
import { endings, LOGOUT, recordsIn, setup } from "../support.ts";
import { hasPostgres, startPostgres } from "./postgres.ts";
import { hasRedis, startRedis } from "./processes.ts";

describe.skipIf(!hasRedis)(
  hasRedis ? "Redis" : "skipped: redis-server is not installed (Debian: redis-server)",
  () => {
    let redis: Awaited<ReturnType<typeof startRedis>>;
    let ioredis: Redis;
    beforeAll(async () => {
      redis = await startRedis();
      ioredis = new Redis(redis.url);
    });
    afterAll(async () => {
      await ioredis.quit();
      await redis.stop();
    });

    describe("by the client redis", () =>
      behavesAsStore((name) => redisStore(redis.client, `redis:${name}`)));
    describe("by the client ioredis", () => behavesAsStore((name) => redisStore(ioredis, `ioredis:${name}`)));

    it("forgets what nobody has written to for so long, counted from the last write", async () => {
      for (const client of [redis.client, ioredis]) {
        await redisStore(client, "kept").write("session.1", "{}");
        expect(await redis.client.ttl("kept")).toBeGreaterThan(15_897_590);
        await redisStore(client, "kept", { lifetime: 100 }).write("session.2", "{}");
        expect(await redis.client.ttl("kept")).toBeLessThanOrEqual(100);
        await redisStore(client, "kept").write("session.1", "{}");
        expect(await redis.client.ttl("kept")).toBeGreaterThan(15_897_590);
      }
    });
  },
);

describe.skipIf(!hasPostgres)(
  hasPostgres ? "PostgreSQL" : "skipped: postgres is not installed (Debian: postgresql)",
  () => {
    let postgres: Awaited<ReturnType<typeof startPostgres>>;
    let pool: Pool;
    beforeAll(async () => {
      postgres = await startPostgres();
      pool = new Pool({ connectionString: postgres.url });
      await pool.query(POSTGRES_TABLE);
    });
    afterAll(async () => {
      await pool.end();
      await postgres.stop();
    });

    behavesAsStore((name) => postgresStore(pool, name));

    it("has the ending of a process that was killed confirmed when two others flush at once", async () => {
      const provider = createSandboxApp();
      const server = await startServer(provider);
      try {
        const { accessToken } = await setup(
          { baseUrl: server.url, store: postgresStore(pool, "killed") },
          provider,
        ).startLogin();
        const run = (method: "end" | "flush") => {
          const args = [postgres.url, server.url, provider.clientKey, "killed", method];
          return spawn(process.execPath, ["--import", "tsx", "test/redis/one-process.ts", ...args], {
            stdio: ["ignore", "pipe", "inherit"],
          });
        };
        provider.misbehave({ path: LOGOUT, delay: "forever", times: 1 });
        const killed = run("end");
        await vi.waitFor(() => expect(endings(provider)).toEqual([LOGOUT]), {
          timeout: 20_000,
          interval: 20,
        });
        await vi.waitFor(
          async () => expect((await recordsIn(postgresStore(pool, "killed"))).pending).toHaveLength(1),
          { timeout: 20_000, interval: 20 },
        );
        killed.kill("SIGKILL");
        await once(killed, "exit");
        expect(provider.isAlive(accessToken)).toBe(true);

        // The lease of the one that is gone is still running: it is waited for.
        await vi.waitFor(
          async () => {
            const outputs = await Promise.all([run("flush"), run("flush")].map(outputOf));
            for (const output of outputs) {
              const [state, ends = ""] = output.split("\n");
              expect(state).toBe("signed-out");
              for (const { server } of JSON.parse(ends))
                expect(["confirmed", "already-invalid"]).toContain(server);
            }
            expect(provider.isAlive(accessToken)).toBe(false);
          },
          { timeout: 40_000, interval: 200 },
        );
        expect(await recordsIn(postgresStore(pool, "killed"))).toMatchObject({ live: [], pending: [] });
      } finally {
        await server.close();
      }
    });
  },
);

async function outputOf({ stdout }: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of stdout ?? []) text += chunk;
  return text;
}
