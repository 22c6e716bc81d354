/** Starts what the tests need: a Redis server and processes of the example, each on a port of its own. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { createClient } from "redis";
import { freePort } from "../free-port.ts";

const root = resolve(import.meta.dirname, "../..");

export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

/** The first line of a process's output that matches. */
export async function lineOf(output: Readable, pattern: RegExp): Promise<string> {
  for await (const line of createInterface(output)) if (pattern.test(line)) return line;
  throw new Error(`The process ended before it said ${pattern}.`);
}

export async function stop(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, "exit");
}

/** A Redis process that takes connections. */
export async function spawnRedis(options: Record<string, string | number>) {
  const all = { bind: "127.0.0.1", save: "", ...options };
  const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const child = spawn("redis-server", args, { stdio: ["ignore", "pipe", "inherit"] });
  await lineOf(child.stdout, /Ready to accept connections/);
  child.stdout.resume();
  return child;
}

/** A Redis that forgets everything at the end. */
export async function startRedis() {
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  const port = await freePort();
  const child = await spawnRedis({ port, appendonly: "no", dir: folder });
  const url = `redis://127.0.0.1:${port}`;
  const client = createClient({ url });
  await client.connect();
  return {
    url,
    client,
    async stop() {
      await client.close();
      await stop(child);
      rmSync(folder, { recursive: true });
    },
  };
}

/** One process of the example. */
export async function startBackEnd(env: Record<string, string>) {
  const child = spawn(process.execPath, ["--import", "tsx", "examples/server-redis/server.ts"], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await lineOf(child.stdout, /^http:/);
  let cookie = "";
  return {
    url,
    /** Asks as a browser that keeps its cookie; of the back end at hand, or of another. */
    async ask(method: "GET" | "POST", path: string, body?: object) {
      const init = { method, headers: { cookie }, ...(body && { body: JSON.stringify(body) }) };
      const response = await fetch(url + path, init);
      cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie;
      return { status: response.status, body: await response.json(), cookie };
    },
    use(other: string) {
      cookie = other;
    },
    stop: () => stop(child),
    kill: () => stop(child, "SIGKILL"),
  };
}
