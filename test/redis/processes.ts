/** Starts processes for the tests: Redis servers that can be killed, and processes of the examples. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { createClient } from "redis";
import { describe } from "vitest";
import { collect } from "../../contracts/process.ts";
import { freePort } from "../free-port.ts";

const root = resolve(import.meta.dirname, "../..");

/** Keys of the queue, for tests only. */
export const KEY = "7a1c5f0e9b3d48266c8fe20417dba95310f6c47e82d95b3ca06e71942f58bd3d";
export const OLDER_KEY = "c4e0937b2a5d8f16b1724ce6390a5fd88e41d3627b09fa5c13e8746d9520afb7";

export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

/** Describes tests over Redis. A machine without Redis skips them and says so; in a pipeline a skipped test counts as failed. */
export const describeRedis = (name: string, tests: () => void) =>
  describe.skipIf(!hasRedis)(
    hasRedis ? name : "skipped: redis-server is not installed (Debian: redis-server)",
    tests,
  );

/** The first line of a process's output that matches. */
export async function lineOf(output: Readable, pattern: RegExp): Promise<string> {
  for await (const line of createInterface(output)) if (pattern.test(line)) return line;
  throw new Error(`The process ended before it said ${pattern}.`);
}

async function stop(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM") {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal);
    await once(child, "exit");
  }
  return { code: child.exitCode, signal: child.signalCode };
}

/** A Redis server that can be killed and started again at the same port; with a client, which connects again by itself. */
export async function startRedis(given: Record<string, string | number> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  const port = await freePort();
  const options = { bind: "127.0.0.1", save: "", appendonly: "no", port, dir: folder, ...given };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const start = async () => {
    const child = spawn("redis-server", args, { stdio: ["ignore", "pipe", "inherit"] });
    await lineOf(child.stdout, /Ready to accept connections/);
    child.stdout.resume();
    return child;
  };
  let child = await start();
  const url = `redis://127.0.0.1:${port}`;
  const client = createClient({ url, socket: { reconnectStrategy: 20 } });
  client.on("error", () => {});
  await client.connect();
  return {
    url,
    port,
    client,
    kill: () => stop(child, "SIGKILL"),
    async restart() {
      child = await start();
    },
    /** All that the append-only file holds, uncompressed, so that it can be searched. */
    file: () =>
      readdirSync(join(folder, "appendonlydir"))
        .map((name) => readFileSync(join(folder, "appendonlydir", name), "latin1"))
        .join(""),
    async stop() {
      client.destroy();
      await stop(child);
      rmSync(folder, { recursive: true });
    },
  };
}

const spawned = (file: string, args: string[], env: Record<string, string>) =>
  spawn(process.execPath, ["--import", "tsx", file, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });

/** Starts a process, and waits for the line that says that it is ready. */
async function startProcess(file: string, ready: RegExp, env: Record<string, string>) {
  const child = spawned(file, [], env);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  const line = await lineOf(child.stdout, ready).catch((error: Error) => {
    throw new Error(`${error.message} ${output}`);
  });
  child.stdout.resume();
  return {
    line,
    said: () => output,
    kill: () => stop(child, "SIGKILL"),
    stop: () => stop(child),
  };
}

/** One worker of the queue. */
export const startWorkerProcess = (env: Record<string, string>) =>
  startProcess("examples/server-queue/worker.ts", /^works on/, env);

/** One process of the back end, and a browser that keeps its cookie. */
export async function startBackEnd(env: Record<string, string>) {
  const { line: url, ...running } = await startProcess("examples/server-redis/server.ts", /^http:/, env);
  let cookie = "";
  return {
    ...running,
    url,
    /** Asks as a page of the back end. */
    async ask(method: "GET" | "POST", path: string, body?: object) {
      const headers = { cookie, origin: url, "content-type": "application/json" };
      const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
      const response = await fetch(url + path, init);
      cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie;
      return { status: response.status, body: await response.json(), cookie };
    },
    use(other: string) {
      cookie = other;
    },
  };
}

/** Runs a command of the examples until its end; each line of its output is JSON. */
export async function runToEnd(file: string, args: string[], env: Record<string, string>) {
  const { code, out, err } = await collect(spawned(`examples/${file}.ts`, args, env));
  const lines = out.split("\n").filter(Boolean);
  return { code, out, said: err, results: lines.map((line) => JSON.parse(line)) };
}
