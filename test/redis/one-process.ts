/** A process of a back end over PostgreSQL that signs out the session it is told of, or flushes it. */
import { Pool } from "pg";
import { createSession } from "../../src/index.ts";
import { postgresStore } from "../../src/stores/postgres.ts";

const [database, baseUrl = "", clientKey = "", name = "", method = ""] = process.argv.slice(2);
const pool = new Pool({ connectionString: database });
const session = createSession({
  baseUrl,
  clientKey,
  store: postgresStore(pool, name),
  retries: 0,
  timeout: 1_000,
});
await session.ready();
console.log(session.state);
console.log(JSON.stringify(method === "end" ? await session.end() : await session.flush()));
await pool.end();
