/**
 * `npm run bench`: runs every benchmark, one after the other, each in a separate process. Prints their tables and saves
 * them in `results.json`. `npm run bench -- size ending` runs some and saves nothing. A missed target is printed and does
 * not fail the run, because results vary with the machine.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { arch, cpus, loadavg, platform } from "node:os";
import { join } from "node:path";
import { formatTable, isMet, type Table } from "./table.ts";

const all = ["core", "size", "data-call", "ending", "many-tokens"];
const chosen = process.argv.slice(2);
const unknown = chosen.find((name) => !all.includes(name));

if (unknown) fail(`Unknown benchmark ${unknown}. The benchmarks are ${all.join(", ")}.`);
else if (!existsSync(join(import.meta.dirname, "node_modules")))
  fail("`npm ci --prefix scripts/bench` comes first.");
else await main();

async function main(): Promise<void> {
  const machine = `Node ${process.version}, ${platform()} ${arch()}, ${cpus().length} cores of ${cpus()[0]?.model}`;
  const limits = `Load at the start: ${loadavg()[0]?.toFixed(1)}. Shared with other work: compare ratios, not times.`;
  const tables: Table[] = [];
  for (const name of chosen.length ? chosen : all) {
    tables.push(...(await tablesOf(name)));
    // After each benchmark, so that an interrupted run keeps its results.
    const results = `${JSON.stringify({ machine, limits, tables }, null, 2)}\n`;
    if (!chosen.length) writeFileSync(join(import.meta.dirname, "results.json"), results);
  }
  const missed = tables.flatMap(({ targets }) => targets).filter((target) => !isMet(target)).length;
  const verdict = missed ? `${missed} targets missed` : "All targets met";
  process.stdout.write(`\n${machine}\n${limits}\n${verdict}\n`);
}

async function tablesOf(name: string): Promise<Table[]> {
  const tables: Table[] = [];
  const child = fork(join(import.meta.dirname, `${name}.ts`), {
    execArgv: ["--expose-gc", "--import", import.meta.resolve("tsx")],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  child.on("message", (table: Table) => {
    tables.push(table);
    process.stdout.write(formatTable(table));
  });
  const [code] = await once(child, "exit");
  if (tables.length === 0) throw new Error(`${name} has ended with ${code}.`);
  return tables;
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
