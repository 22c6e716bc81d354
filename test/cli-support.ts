/** What the tests of the command share: the command as one bundle, run as a process of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import { type RunningSandbox, startSandbox } from "../src/sandbox/index.ts";

const root = resolve(import.meta.dirname, "..");

export interface Result {
  code: number | null;
  out: string;
  err: string;
}

export interface Running {
  child: ChildProcessWithoutNullStreams;
  result: Promise<Result>;
}

export interface RunOptions {
  input?: string;
  /** Beside the address and the client key; undefined takes one away. */
  env?: Record<string, string | undefined>;
  /** For node itself. */
  execArgv?: string[];
}

/** Call it in the body of a file: bundles the command once, and gives each test a sandbox of its own. */
export function useCli() {
  // Processes start slowly while others run.
  vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
  let folder = "";
  let sandbox: RunningSandbox;
  const begun = new Set<ChildProcessWithoutNullStreams>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "cli-"));
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
      // For what of it is CommonJS.
      banner: {
        js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
      },
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    sandbox = await startSandbox();
  });
  afterEach(async () => {
    for (const child of begun) child.kill("SIGKILL");
    begun.clear();
    await sandbox.close();
  });

  function start(args: string[], { env = {}, execArgv = [] }: RunOptions = {}): Running {
    const child = spawn(process.execPath, [...execArgv, join(folder, "dist", "cli.js"), ...args], {
      env: {
        PATH: process.env["PATH"],
        BAANX_BASE_URL: sandbox.url,
        BAANX_CLIENT_KEY: sandbox.clientKey,
        ...env,
      },
    });
    begun.add(child);
    // A command that refuses its arguments does not read its input.
    child.stdin.on("error", () => {});
    return { child, result: resultOf(child) };
  }

  return {
    get sandbox() {
      return sandbox;
    },
    get file() {
      return join(folder, "dist", "cli.js");
    },
    /** An address at which nothing listens any more. */
    async deadUrl(): Promise<string> {
      const { url, close } = await startSandbox();
      await close();
      return url;
    },
    /** A file that does not exist yet. */
    path: (name: string) => join(mkdtempSync(join(folder, "test-")), name),
    start,
    run(args: string[], options: RunOptions = {}): Promise<Result> {
      const { child, result } = start(args, options);
      child.stdin.end(options.input ?? "");
      return result;
    },
  };
}

async function resultOf(child: ChildProcessWithoutNullStreams): Promise<Result> {
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const [code] = await once(child, "close");
  return { code, out, err };
}

/** The arguments for node that write the peak of a process's memory to the file in PEAK_MEMORY. */
export const measured = ["--import", pathToFileURL(join(root, "scripts", "bench", "peak-memory.mjs")).href];

/** The arguments for node that make terminals of a process's output. */
export const terminal = ["--import", pathToFileURL(join(import.meta.dirname, "terminal.mjs")).href];

/** A list as the command reads it. */
export const listOf = (rows: object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/** Results of `--json`, by line. */
export function resultsOf(out: string): Record<string, unknown>[] {
  const results: { line: number }[] = out
    .trim()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  return results.sort((a, b) => a.line - b.line);
}
