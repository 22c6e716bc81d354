/** The stores for a back end over real servers, with both clients of Redis. */
import { Redis } from "ioredis";
import { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { POSTGRES_TABLE, postgresStore } from "../../src/stores/postgres.ts";
import { redisStore } from "../../src/stores/redis.ts";
import { behavesAsStore } from "../store-kinds.ts";
import { describePostgres, startPostgres } from "./postgres.ts";
import { describeRedis, startRedis } from "./processes.ts";

describeRedis("Redis", () => {
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

  describe("by the client redis", () => behavesAsStore((name) => redisStore(redis.client, `redis:${name}`)));
  describe("by the client ioredis", () => behavesAsStore((name) => redisStore(ioredis, `ioredis:${name}`)));

  const DAY = 86_400;
  const withRefreshToken = '{"tokens":{"accessToken":"test-a","refreshToken":"test-r"}}';

  it("lets Redis delete a session a day after its last write, or 184 days with a refresh token", async () => {
    for (const [name, client] of Object.entries({ redis: redis.client, ioredis })) {
      const lifetime = async () => Math.round((await redis.client.ttl(`life:${name}`)) / DAY);
      const store = redisStore(client, `life:${name}`);
      const login = '{"userId":"\\"refreshToken\\":\\"","tokens":{"accessToken":"test-a"}}';
      await store.write("session.1", login);
      expect(await lifetime()).toBe(1);
      await store.write("session.2", withRefreshToken);
      expect(await lifetime()).toBe(184);
      // Neither this object nor another one shortens it while the refresh token is there.
      await store.write("session.1", login);
      expect(await lifetime()).toBe(184);
      const other = redisStore(client, `life:${name}`);
      await other.read();
      await other.write("session.1", login);
      expect(await lifetime()).toBe(184);
      await other.write("session.2", login);
      expect(await lifetime()).toBe(1);
    }
  });

  it("counts a given lifetime from the last write, whatever the record", async () => {
    for (const client of [redis.client, ioredis]) {
      await redisStore(client, "given", { lifetime: 100 }).write("session.1", withRefreshToken);
      expect(await redis.client.ttl("given")).toBeGreaterThan(90);
      expect(await redis.client.ttl("given")).toBeLessThanOrEqual(100);
    }
  });
});

describePostgres("PostgreSQL", () => {
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
});
