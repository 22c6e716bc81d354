/** Shared by the tests of the command: it is called in process, or as one bundle in a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, vi } from "vitest";
import { main } from "../src/cli/main.ts";
import type { Io } from "../src/cli/output.ts";
import { type RunningSandbox, startSandbox } from "../src/sandbox/index.ts";

const root = resolve(import.meta.dirname, "..");

export interface Result {
  code: number | null;
  out: string;
  err: string;
}

export interface RunOptions {
  input?: string;
  /** Beside the address and the client key; undefined takes one away. */
  env?: Record<string, string | undefined>;
  /** For a process: the arguments of node itself. */
  execArgv?: string[];
  /** For a process: a shell's redirections and settings, with the command as `"$@"`. */
  shell?: string;
}

/** Call it in the body of a file: each test gets a sandbox of its own. */
export function useCli() {
  // Processes start slowly while others run.
  vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
  let folder = "";
  let sandbox: RunningSandbox;
  let bundle: Promise<unknown> | undefined;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "cli-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    sandbox = await startSandbox();
    return sandbox.close;
  });

  /** Builds the command once. Resolves to its file. */
  async function file(): Promise<string> {
    bundle ??= buildIn(folder);
    await bundle;
    return join(folder, "dist", "cli.js");
  }
  const environment = (env: RunOptions["env"]) => ({
    BAANX_BASE_URL: sandbox.url,
    BAANX_CLIENT_KEY: sandbox.clientKey,
    ...env,
  });

  /** Begins a command in this process. */
  function start(args: string[], { env }: RunOptions = {}) {
    const interruption = new AbortController();
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    for (const stream of [stdin, stdout, stderr]) stream.on("error", () => {});
    const io: Io = {
      ...{ env: environment(env), stdin, stdout, stderr },
      root: pathToFileURL(`${root}/`),
      signals: () => interruption.signal,
    };
    const code = main(args, io).finally(() => {
      stdout.end();
      stderr.end();
    });
    const result = async (): Promise<Result> => {
      const [out, err] = await Promise.all([text(stdout), text(stderr)]);
      return { code: await code, out, err };
    };
    return { ...io, code, result, interrupt: (signal: string) => interruption.abort(signal) };
  }

  return {
    get sandbox() {
      return sandbox;
    },
    file,
    /** An address at which nothing listens any more. */
    async deadUrl(): Promise<string> {
      const { url, close } = await startSandbox();
      await close();
      return url;
    },
    /** A file that does not exist yet. */
    path: (name: string) => join(mkdtempSync(join(folder, "test-")), name),
    start,
    /** Runs a command in this process. */
    run(args: string[], options: RunOptions = {}): Promise<Result> {
      const { stdin, result } = start(args, options);
      stdin.push(options.input ?? "");
      stdin.push(null);
      return result();
    },
    /** Starts a command as a process. */
    async spawn(args: string[], { env, execArgv = [], shell }: RunOptions = {}) {
      const command = [process.execPath, ...execArgv, await file(), ...args];
      const words = shell ? ["sh", "-c", shell, "sh", ...command] : command;
      const child = spawn(words[0] ?? "", words.slice(1), {
        env: { PATH: process.env["PATH"], ...environment(env) },
      });
      onTestFinished(() => void child.kill("SIGKILL"));
      // A command that refuses its arguments does not read its input.
      child.stdin.on("error", () => {});
      const output = Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
      return {
        child,
        result: output.then(([out, err, [code]]): Result => ({ code, out, err })),
      };
    },
  };
}

async function buildIn(folder: string): Promise<void> {
  // The command reads its version from there.
  copyFileSync(join(root, "package.json"), join(folder, "package.json"));
  await build({
    entryPoints: [join(root, "src", "cli.ts")],
    outdir: join(folder, "dist"),
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
  });
}

/** The arguments for node that write the peak of a process's memory to the file in PEAK_MEMORY. */
export const measured = ["--import", pathToFileURL(join(root, "scripts", "bench", "peak-memory.mjs")).href];

/** The arguments for node that make terminals of a process's output. */
export const terminal = ["--import", pathToFileURL(join(import.meta.dirname, "terminal.mjs")).href];

/** Returns a list as the command reads it, of tokens and rows. */
export const listOf = (lines: (string | object)[]): string =>
  lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("");

/** Results of `--json`, by line, without their times, which are checked. */
export function resultsOf(out: string): Record<string, unknown>[] {
  return out
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const { at, ...result } = JSON.parse(line);
      expect(at).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      return result;
    })
    .sort((a, b) => a.line - b.line);
}
