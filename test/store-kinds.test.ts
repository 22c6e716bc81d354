/** The stores of a back end that need no separate server: PGlite (PostgreSQL in this process) and unstorage. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { createStorage } from "unstorage";
import fsDriver from "unstorage/drivers/fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memoryStore } from "../src/index.ts";
import { POSTGRES_TABLE, postgresStore } from "../src/stores/postgres.ts";
import { type IoRedis, type NodeRedis, redisStore } from "../src/stores/redis.ts";
import { unstorageStore } from "../src/stores/unstorage.ts";
import { behavesAsStore } from "./store-kinds.ts";

describe("memory", () => {
  const stores = new Map<string, ReturnType<typeof memoryStore>>();
  behavesAsStore((name) => {
    const store = stores.get(name) ?? memoryStore();
    stores.set(name, store);
    return store;
  });
});

describe("PostgreSQL, by PGlite", () => {
  let database: PGlite;
  beforeAll(async () => {
    database = new PGlite();
    await database.exec(POSTGRES_TABLE);
  }, 60_000);
  afterAll(() => database.close());
  behavesAsStore((name) => postgresStore(database, name));

  it("records the time of the last write of a row, so that old rows can be deleted", async () => {
    await postgresStore(database, "old").write("session.1", "{}");
    await database.exec(
      "UPDATE baanx_session SET written_at = now() - interval '200 days' WHERE name = 'old'",
    );
    await postgresStore(database, "old").write("session.1", "{}");
    const { rows } = await database.query(
      "SELECT name FROM baanx_session WHERE name = 'old' AND written_at < now() - interval '184 days'",
    );
    expect(rows).toEqual([]);
  });
});

describe("unstorage", () => {
  const folder = mkdtempSync(join(tmpdir(), "unstorage-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  describe("in memory", () => {
    const storage = createStorage();
    behavesAsStore((name) => unstorageStore(storage, `baanx-session:${name}`));
  });

  describe("in files", () => {
    const storage = createStorage({ driver: fsDriver({ base: folder }) });
    // Writes are not atomic: two processes that share a key need a database.
    behavesAsStore((name) => unstorageStore(storage, `baanx-session:${name}`), false);
  });

  it.each([
    "baanx-session/name",
    "baanx-session\\name",
    "baanx-session::name",
    "baanx-session:name?",
    "a?b",
    ":baanx-session",
    "baanx-session:",
    "baanx-session:..:name",
    ".",
  ])("refuses a base that it would change: %s", async (base) => {
    expect(() => unstorageStore(createStorage(), base)).toThrow(
      refusal("base must be a key that unstorage does not change"),
    );
  });

  it.each(["baanx-session", "baanx-session:Grüße +1", "a.b:c_d-e:1"])(
    "reads under the same base that it writes to: %s",
    async (base) => {
      const store = unstorageStore(createStorage(), base);
      await store.write("session.1", "{}");
      expect(await store.read()).toEqual({ "session.1": "{}" });
    },
  );

  it("does not read the sessions of a longer base", async () => {
    const storage = createStorage();
    await unstorageStore(storage, "all:one").write("session.1", "{}");
    expect(await unstorageStore(storage, "all").read()).toEqual({});
  });
});

/** Matches an adapter's error for an invalid argument. */
const refusal = (message: string) =>
  expect.objectContaining({
    name: "TypeError",
    code: "invalid-option",
    message: expect.stringMatching(
      new RegExp(`^invalid-option: ${message}.* \\(docs/results-and-errors\\.md#invalid-option\\)$`),
    ),
  });

describe("an adapter", () => {
  const command = async () => ({});
  const nodeRedis = { hGetAll: command, hSet: command, hDel: command, expire: command };
  const ioredis = { hgetall: command, hset: command, hdel: command, expire: command };
  const pool = { query: async () => ({ rows: [] }) };
  const clients: unknown[] = [{}, undefined, null, "redis://127.0.0.1"];

  it("accepts the commands of redis and of ioredis", () => {
    expect(redisStore(nodeRedis as NodeRedis, "name").read()).toBeInstanceOf(Promise);
    expect(redisStore(ioredis as IoRedis, "name").read()).toBeInstanceOf(Promise);
  });

  const calls = [
    ...[...clients, { ...nodeRedis, expire: undefined }, { hGetAll: command, hset: command }].map(
      (client) => ({
        must: "client must be a client of redis \\(4 or later\\) or of ioredis: redisStore\\(createClient",
        call: () => redisStore(client as NodeRedis, "name"),
      }),
    ),
    ...[...clients, { connectionString: "postgres://127.0.0.1" }].map((client) => ({
      must: "pool must be a pool or client of pg with the method query: postgresStore\\(new Pool",
      call: () => postgresStore(client as typeof pool, "name"),
    })),
    ...[...clients, { getKeys: command, getItem: command, setItem: command }].map((storage) => ({
      must: "storage must be a storage of unstorage: unstorageStore\\(createStorage",
      call: () => unstorageStore(storage as never, "base"),
    })),
  ];
  it.each(calls)("refuses a client without the commands: $must", ({ must, call }) => {
    expect(call).toThrow(refusal(must));
  });

  it.each([undefined, null, "", 7])("refuses a name that cannot tell sessions apart: %o", (name) => {
    const must = "must be a string that is not empty, and another one for each session";
    expect(() => redisStore(ioredis as IoRedis, name as string)).toThrow(refusal(`name ${must}`));
    expect(() => postgresStore(pool, name as string)).toThrow(refusal(`name ${must}`));
    expect(() => unstorageStore(createStorage(), name as string)).toThrow(refusal(`base ${must}`));
  });

  it.each([0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, "60"])(
    "refuses a lifetime that Redis would not keep: %o",
    (lifetime) => {
      expect(() => redisStore(ioredis as IoRedis, "name", { lifetime: lifetime as number })).toThrow(
        refusal("lifetime must be a whole number of seconds above 0"),
      );
    },
  );
});
