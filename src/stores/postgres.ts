/** A TokenStore in PostgreSQL: one table for all sessions, one row per record. */
import type { TokenStore } from "../store.ts";
import { hasMethods, requireName, requireThat } from "./adapter-options.ts";

/** The used part of a pool or a client of `pg`, or of anything with the same `query`, such as PGlite. */
export interface Queryable {
  query(sql: string, values: string[]): Promise<{ rows: unknown[] }>;
}

/**
 * Creates the table, once, in a migration. `written_at` is for deleting the rows of users who never came back:
 * `DELETE FROM baanx_session WHERE written_at < now() - interval '184 days'`, or one day if no session has a refresh token.
 */
export const POSTGRES_TABLE = `CREATE TABLE IF NOT EXISTS baanx_session (
  name text NOT NULL,
  key text NOT NULL,
  record text NOT NULL,
  written_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (name, key)
)`;

const READ = "SELECT key, record FROM baanx_session WHERE name = $1";
const WRITE = `INSERT INTO baanx_session (name, key, record) VALUES ($1, $2, $3)
  ON CONFLICT (name, key) DO UPDATE SET record = excluded.record, written_at = now()`;
const REMOVE = "DELETE FROM baanx_session WHERE name = $1 AND key = $2";

/**
 * Stores the records of one session in the table of {@link POSTGRES_TABLE}, for a back end of any number of processes.
 * It holds tokens: guard the database as well as you guard them. Give the pool a listener (`pool.on("error", …)`): without
 * one, a restart of the server ends the process.
 *
 * @param pool - a pool; a read must see earlier writes, so do not use a replica that lags behind
 * @param name - another one for each session; hard to guess if nothing else identifies the user
 * @throws TypeError with the code `invalid-option`
 */
export function postgresStore(pool: Queryable, name: string): TokenStore {
  requireThat(
    hasMethods(pool, "query"),
    "pool",
    "a pool or client of pg with the method query: postgresStore(new Pool({ connectionString }), name)",
  );
  requireName("name", name);
  return {
    async read() {
      const { rows } = await pool.query(READ, [name]);
      return Object.fromEntries(
        (rows as { key: string; record: string }[]).map((row) => [row.key, row.record]),
      );
    },
    async write(key, text) {
      await pool.query(WRITE, [name, key, text]);
    },
    async remove(key) {
      await pool.query(REMOVE, [name, key]);
    },
  };
}
