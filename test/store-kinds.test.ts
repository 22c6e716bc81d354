/** The stores for a back end, over what needs no server: PGlite, which is PostgreSQL in this process, and unstorage. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { createStorage } from "unstorage";
import fsDriver from "unstorage/drivers/fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memoryStore } from "../src/index.ts";
import { POSTGRES_TABLE, postgresStore } from "../src/stores/postgres.ts";
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

  it("says when a row was written last, to clean up by", async () => {
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
    // Its writes are not atomic: two processes that share a key would need a database.
    behavesAsStore((name) => unstorageStore(storage, `baanx-session:${name}`), false);
  });
});
