/**
 * Adds an incident list to the queue, waits for the workers, and writes the result of each line. It holds a few thousand
 * lines at a time, however long the list; see README.md.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { rowsOf } from "./list.ts";
import { jobOf, openQueue } from "./queue.ts";
import {
  addLines,
  clearLines,
  countResults,
  type ListedLine,
  linesOf,
  type Result,
  readResults,
} from "./results.ts";
import { api, checkedSeal, connect } from "./settings.ts";

const USAGE = "Usage: enqueue.ts logout|revoke [--run NAME] < list.jsonl >> results.jsonl";
const CHUNK = 1_000;
/** Milliseconds between two checks of the results. */
const POLL = 500;

const { grant, run } = argumentsOf();
const seal = checkedSeal();
const redis = connect();
const queue = openQueue(redis);
const { baseUrl } = api;
const begun = Date.now();
let told = begun;

console.error(`Run ${run}. After a crash give it again: --run ${run}`);
const { added, invalid } = await addList();
const proven = await waitForAll();
const counts = await report();
if (invalid > 0) counts["invalid-line"] = invalid;
await queue.close();
redis.disconnect();
process.exitCode = summary();

function argumentsOf() {
  try {
    const { values, positionals } = parseArgs({
      options: { run: { type: "string" } },
      allowPositionals: true,
    });
    const grants: Record<string, "login" | "oauth"> = { logout: "login", revoke: "oauth" };
    const [grant] = positionals.map((word) => grants[word]);
    const { run = `${new Date().toISOString().slice(0, 10)}-${randomBytes(4).toString("hex")}` } = values;
    if (grant && positionals.length === 1 && /^[\w-]{1,64}$/.test(run)) return { grant, run };
  } catch {}
  console.error(USAGE);
  process.exit(2);
}

/** Adds the tokens without a result: the same list and run continue where they stopped. */
async function addList() {
  await clearLines(redis, run);
  let added = 0;
  let invalid = 0;
  let chunk: (ListedLine & { accessToken: string })[] = [];

  async function add(): Promise<void> {
    const known = await readResults(
      redis,
      run,
      chunk.map(({ digest }) => digest),
    );
    const open = chunk.filter((_, index) => !known[index]);
    await addLines(
      redis,
      run,
      chunk.map(({ accessToken: _, ...line }) => line),
    );
    await queue.addBulk(
      open.map(({ accessToken, region }) =>
        jobOf(seal, { accessToken, place: { baseUrl, grant, region }, run }),
      ),
    );
    added += chunk.length;
    chunk = [];
    progress(`${number(added)} lines in the queue`);
  }

  for await (const row of rowsOf(process.stdin, api.region)) {
    if ("invalid" in row) {
      invalid += 1;
      await print(row);
      continue;
    }
    const { accessToken, region } = row;
    chunk.push({ ...row, digest: seal.digest(accessToken, { baseUrl, grant, region }) });
    if (chunk.length === CHUNK) await add();
  }
  if (chunk.length > 0) await add();
  return { added, invalid };
}

/** @returns the regions with a confirmed token: a wrong environment answers 401 to every token */
async function waitForAll(): Promise<Set<string>> {
  const proven = new Set<string>();
  for await (const lines of linesOf(redis, run, CHUNK)) {
    for (;;) {
      const all = await readResults(
        redis,
        run,
        lines.map(({ digest }) => digest),
      );
      const isSettled = all.every((result) => result !== undefined);
      if (isSettled) {
        lines.forEach(({ region }, index) => {
          if (all[index]?.server === "confirmed") proven.add(region);
        });
        break;
      }
      const done = await countResults(redis, run);
      const rate = Math.round(done / ((Date.now() - begun) / 1_000));
      progress(`${number(done)} of ${number(added)} settled, ${rate}/s`);
      await sleep(POLL);
    }
  }
  return proven;
}

/** One result for each line, in the order of the list. */
async function report(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for await (const lines of linesOf(redis, run, CHUNK)) {
    const all = await readResults(
      redis,
      run,
      lines.map(({ digest }) => digest),
    );
    for (const [index, { line, id, region }] of lines.entries()) {
      const result = judged(all[index], proven.has(region));
      counts[result.server] = (counts[result.server] ?? 0) + 1;
      await print({ line, ...(id !== undefined && { id }), ...result });
    }
  }
  return counts;
}

/** A 401 counts as ended only where some token of the region was confirmed in this run, as on the command line. */
function judged(result: Result | undefined, isProven: boolean): Result {
  if (!result) return { server: "unconfirmed", at: new Date().toISOString() };
  const { server, error, at } = result;
  if (server !== "already-invalid" && error?.code !== "unauthorized") return result;
  if (isProven) return { server: "already-invalid", at };
  return { server: "unconfirmed", error: { code: "unauthorized", status: 401 }, at };
}

/** @returns the exit code */
function summary(): number {
  const parts = Object.entries(counts).map(([name, count]) => `${number(count)} ${name}`);
  if (parts.length === 0) {
    console.error("The list is empty: standard input has no line with a token.");
    return 2;
  }
  const seconds = (Date.now() - begun) / 1_000;
  console.error(
    `${process.stderr.isTTY ? "\r\x1b[K" : ""}${parts.join(", ")}; ${seconds.toFixed(1)} s, ${Math.round(added / seconds)}/s.`,
  );
  const isEnded = Object.keys(counts).every((kind) => kind === "confirmed" || kind === "already-invalid");
  if (!isEnded)
    console.error(
      "Tokens that expired, or are unconfirmed without a 401, are dead letters: see dead-letters.ts. Lines that are not valid were not sent.",
    );
  return isEnded ? 0 : 1;
}

async function print(result: object): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(result)}\n`)) await once(process.stdout, "drain");
}

/** Updates one line on a terminal; elsewhere writes a line every ten seconds. */
function progress(words: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${words}`);
  else if (Date.now() - told > 10_000) {
    told = Date.now();
    console.error(words);
  }
}

function number(count: number): string {
  return count.toLocaleString("en");
}
