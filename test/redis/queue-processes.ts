/** Starts what the tests of the queue need: a Redis that keeps an append-only file, workers, and the commands. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { Redis } from "ioredis";
import { freePort } from "../free-port.ts";
import { lineOf, spawnRedis, stop } from "./processes.ts";

const root = resolve(import.meta.dirname, "../..");

/** A Redis that can be killed and started again with what its append-only file holds. */
export async function startLastingRedis() {
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const start = () => spawnRedis({ port, appendonly: "yes", rdbcompression: "no", dir: folder });
  let child = await start();
  const client = new Redis(url, { maxRetriesPerRequest: null });
  // It is killed while this one is connected.
  client.on("error", () => {});
  return {
    url,
    client,
    async killAndRestart() {
      await stop(child, "SIGKILL");
      child = await start();
    },
    /** All that is and was written, uncompressed, so that it can be searched. */
    file() {
      const files = join(folder, "appendonlydir");
      return readdirSync(files)
        .map((name) => readFileSync(join(files, name), "latin1"))
        .join("");
    },
    async stop() {
      client.disconnect();
      await stop(child);
      rmSync(folder, { recursive: true });
    },
  };
}

const spawned = (file: string, args: string[], env: Record<string, string>) =>
  spawn(process.execPath, ["--import", "tsx", `examples/server-queue/${file}.ts`, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });

/** One worker process. */
export async function startWorkerProcess(env: Record<string, string>) {
  const child = spawned("worker", [], env);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await lineOf(child.stdout, /^works on/);
  child.stdout.resume();
  return {
    said: () => said,
    kill: () => stop(child, "SIGKILL"),
    stop: () => stop(child),
  };
}

/** A command until its end. */
export async function runCommand(
  file: string,
  args: string[],
  env: Record<string, string>,
  input: Iterable<string> = [],
) {
  const child = spawned(file, args, env);
  let out = "";
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  Readable.from(input).pipe(child.stdin);
  const [code] = await once(child, "close");
  const results = out
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  return { code, out, said, results };
}
