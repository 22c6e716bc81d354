/**
 * `npm run bench -- many-tokens`: the built command ends a long list of tokens. Before and after it, a loop over fetch
 * with the same concurrency ends shorter lists at the same sandbox. Prints the ratio of the rates and the command's peak
 * memory.
 */
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { rounded } from "./race.ts";
import { report } from "./table.ts";

const TARGET_RATIO = 0.6;
/** A bare loop over fetch peaks at 130 MB on Node 20, and at 220 MB on Node 24. */
const TARGET_MEGABYTES = 250;

interface Api {
  url: string;
  clientKey: string;
}

const { values } = parseArgs({
  options: {
    tokens: { type: "string", default: "100000" },
    concurrency: { type: "string", default: "8" },
    endpoint: { type: "string", default: "logout" },
  },
});
const { endpoint, concurrency } = values;
const tokens = Number(values.tokens);
const folder = mkdtempSync(join(tmpdir(), "many-tokens-"));
const file = join(folder, "list.jsonl");
const sandbox = fork(pathOf("sandbox.ts"), { execArgv: ["--import", import.meta.resolve("tsx")] });
try {
  // Warms the sandbox up, so that the first loop does not pay for it.
  await bareLoop();
  const before = await bareLoop();
  const { seconds, megabytes } = await command();
  const after = await bareLoop();
  const rate = tokens / seconds;
  const ratio = rounded(rate / ((before + after) / 2));
  report({
    title: `Many tokens: ${endpoint}, ${tokens.toLocaleString("en")} of them, ${concurrency} at once`,
    note: `The command took ${seconds.toFixed(1)} s, the start of its process included.`,
    rows: [
      { name: "bare fetch loop, before", "a second": rounded(before) },
      { name: "baanx-session", "a second": rounded(rate), "× bare loop": ratio, "peak MB": megabytes },
      { name: "bare fetch loop, after", "a second": rounded(after) },
    ],
    targets: [
      { what: "rate over the bare loop", measured: ratio, limit: TARGET_RATIO, isLeast: true },
      { what: "peak memory in MB", measured: megabytes, limit: TARGET_MEGABYTES },
    ],
  });
} finally {
  sandbox.kill();
  rmSync(folder, { recursive: true });
}

/** Writes a list of live tokens to the file. */
async function mint(count: number): Promise<Api> {
  sandbox.send({ count, file, endpoint });
  const [api] = await once(sandbox, "message");
  return api;
}

/** The baseline: ends a fifth of the tokens with concurrent calls of fetch. Returns the number per second. */
async function bareLoop(): Promise<number> {
  const count = Math.round(tokens / 5);
  const { url, clientKey } = await mint(count);
  const path = endpoint === "revoke" ? "/v1/auth/oauth/revoke" : "/v1/auth/logout";
  const method = endpoint === "revoke" ? "DELETE" : "POST";
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const list: string[] = lines.map((line) => JSON.parse(line).accessToken);
  const begun = performance.now();
  await Promise.all(Array.from({ length: Number(concurrency) }, worker));
  return (count / (performance.now() - begun)) * 1_000;

  async function worker(): Promise<void> {
    for (let token = list.pop(); token; token = list.pop()) {
      const headers = { "x-client-key": clientKey, authorization: `Bearer ${token}` };
      const response = await fetch(url + path, { method, headers });
      const { success } = await response.json();
      if (response.status !== 200 || success !== true) throw new Error(`status ${response.status}`);
    }
  }
}

async function command(): Promise<{ seconds: number; megabytes: number }> {
  const { url, clientKey } = await mint(tokens);
  const peak = join(folder, "peak");
  const begun = performance.now();
  const args = [
    ...["--import", pathToFileURL(pathOf("peak-memory.mjs")).href, pathOf("../../dist/cli.js")],
    ...[endpoint, "--stdin", "--json", "--concurrency", concurrency, "--journal", join(folder, "journal")],
  ];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, BAANX_BASE_URL: url, BAANX_CLIENT_KEY: clientKey, PEAK_MEMORY: peak },
    stdio: ["pipe", "pipe", "inherit"],
  });
  createReadStream(file).pipe(child.stdin);
  child.stdout.resume();
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`The command failed with ${code}.`);
  const seconds = (performance.now() - begun) / 1_000;
  return { seconds, megabytes: rounded((Number(readFileSync(peak, "utf8")) * 1_024) / 1_000_000) };
}

function pathOf(name: string): string {
  return resolve(import.meta.dirname, name);
}
