/** A PostgreSQL server of its own, which forgets everything at the end. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { freePort } from "../free-port.ts";
import { lineOf } from "./processes.ts";

const DEBIAN = "/usr/lib/postgresql";

/** Where Debian puts it, or on the PATH. */
const home = existsSync(DEBIAN) ? join(DEBIAN, readdirSync(DEBIAN).sort().at(-1) ?? "", "bin") : "";

const programOf = (name: string) => (home ? join(home, name) : name);

const hasPostgres = spawnSync(programOf("postgres"), ["--version"]).status === 0;

/** Describes tests over PostgreSQL, like `describeRedis`. */
export const describePostgres = (name: string, tests: () => void) =>
  describe.skipIf(!hasPostgres)(
    hasPostgres ? name : "skipped: postgres is not installed (Debian: postgresql)",
    tests,
  );

/** PostgreSQL refuses to run as root: there it is run as the user that Debian makes for it. */
const asUser = userInfo().uid === 0 ? ["runuser", "-u", "postgres", "--"] : [];

function command(name: string, args: string[]): [string, string[]] {
  const [program = "", ...rest] = [...asUser, programOf(name), ...args];
  return [program, rest];
}

export async function startPostgres() {
  const folder = mkdtempSync(join(tmpdir(), "postgres-"));
  const owner = spawnSync("id", ["-u", "postgres"], { encoding: "utf8" }).stdout;
  if (asUser.length > 0) chownSync(folder, Number(owner), Number(owner));
  const made = spawnSync(...command("initdb", ["-D", folder, "-U", "postgres", "--auth=trust", "--no-sync"]));
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
  const port = await freePort();
  const settings = [
    `port=${port}`,
    "listen_addresses=127.0.0.1",
    `unix_socket_directories=${folder}`,
    "fsync=off",
  ];
  const args = ["-D", folder, ...settings.flatMap((setting) => ["-c", setting])];
  const start = async () => {
    const child = spawn(...command("postgres", args), { stdio: ["ignore", "ignore", "pipe"] });
    await lineOf(child.stderr, /ready to accept connections/);
    child.stderr.resume();
    return child;
  };
  let child = await start();
  async function kill(): Promise<void> {
    // It cuts every connection.
    spawnSync(...command("pg_ctl", ["stop", "-D", folder, "-m", "immediate"]));
    if (child.exitCode === null) await once(child, "exit");
  }
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    kill,
    async restart() {
      child = await start();
    },
    async stop() {
      await kill();
      rmSync(folder, { recursive: true });
    },
  };
}
