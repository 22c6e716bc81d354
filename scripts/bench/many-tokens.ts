/**
 * `npm run bench -- many-tokens`: the built command ends a long list of tokens. Before and after it, a loop over fetch
 * with the same concurrency ends shorter lists at the same sandbox. Prints the ratio of the rates and the command's peak
 * memory.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { rounded } from "./race.ts";
import { report, type Target } from "./table.ts";

const TARGET_RATIO = 0.6;
/** A bare loop over fetch peaks at 130 MB on Node 20, and at 220 MB on Node 24. */
const TARGET_MEGABYTES = 250;

interface Api {
  url: string;
  clientKey: string;
}

await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      tokens: { type: "string", default: "100000" },
      concurrency: { type: "string", default: "8" },
      endpoint: { type: "string", default: "logout" },
    },
  });
  const { endpoint, concurrency } = values;
  const tokens = Number(values.tokens);
  const some = Math.round(tokens / 5);
  const folder = mkdtempSync(join(tmpdir(), "many-tokens-"));
  const file = join(folder, "list.jsonl");
  const sandbox = fork(pathOf("sandbox.ts"), { execArgv: ["--import", import.meta.resolve("tsx")] });
  const bare = async () => some / (await bareLoop(await mint(sandbox, some, file, endpoint)));
  const bareLoop = async ({ url, clientKey }: Api) => {
    const path = endpoint === "revoke" ? "/v1/auth/oauth/revoke" : "/v1/auth/logout";
    return (
      Number(await outputOf([pathOf("bare-loop.mjs"), `${url}${path}`, clientKey, file, concurrency])) / 1_000
    );
  };
  try {
    // Warms the sandbox up, so that the first loop does not pay for it.
    await bare();
    const before = await bare();
    const api = await mint(sandbox, tokens, file, endpoint);
    const { seconds, megabytes } = await command(api, folder, endpoint, concurrency);
    const after = await bare();
    const rate = tokens / seconds;
    const ratio = rate / ((before + after) / 2);
    const targets: Target[] = [
      { what: "rate over the bare loop", measured: rounded(ratio), limit: TARGET_RATIO, isLeast: true },
      { what: "peak memory in MB", measured: rounded(megabytes), limit: TARGET_MEGABYTES },
    ];
    report({
      title: `Many tokens: ${endpoint}, ${tokens.toLocaleString("en")} of them, ${concurrency} at once`,
      note: `The command took ${seconds.toFixed(1)} s, the start of its process included.`,
      rows: [
        { name: "bare fetch loop, before", "a second": rounded(before) },
        {
          name: "baanx-session",
          "a second": rounded(rate),
          "× bare loop": rounded(ratio),
          "peak MB": rounded(megabytes),
        },
        { name: "bare fetch loop, after", "a second": rounded(after) },
      ],
      targets,
    });
  } finally {
    sandbox.kill();
    rmSync(folder, { recursive: true });
  }
}

/** Writes a list of live tokens to the file. */
async function mint(sandbox: ChildProcess, count: number, file: string, endpoint: string): Promise<Api> {
  sandbox.send({ count, file, endpoint });
  const [api] = await once(sandbox, "message");
  return api;
}

async function command({ url, clientKey }: Api, folder: string, endpoint: string, concurrency: string) {
  const peak = join(folder, "peak");
  const journal = join(folder, "journal");
  const begun = performance.now();
  const args = [
    ...[
      "--import",
      pathToFileURL(pathOf("peak-memory.mjs")).href,
      resolve(import.meta.dirname, "../../dist/cli.js"),
    ],
    ...[endpoint, "--stdin", "--json", "--concurrency", concurrency, "--journal", journal],
  ];
  const environment = { BAANX_BASE_URL: url, BAANX_CLIENT_KEY: clientKey, PEAK_MEMORY: peak };
  await outputOf(args, environment, join(folder, "list.jsonl"));
  const seconds = (performance.now() - begun) / 1_000;
  return { seconds, megabytes: (Number(readFileSync(peak, "utf8")) * 1_024) / 1_000_000 };
}

/** Runs a Node process and resolves to its output. Rejects if it fails. */
async function outputOf(args: string[], environment: Record<string, string> = {}, input?: string) {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...environment },
    stdio: ["pipe", "pipe", "inherit"],
  });
  if (input) createReadStream(input).pipe(child.stdin);
  let last = "";
  // Keeps only the end of a long output.
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    last = text.slice(-200);
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`A process has failed with ${code}.`);
  return last;
}

function pathOf(name: string): string {
  return join(import.meta.dirname, name);
}
