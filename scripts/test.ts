/**
 * `npm test`: runs every check, one after the other, goes on after a failure, and ends with one line of counts.
 * `--all` adds the suites that need more than Node and npm, `--suites` runs nothing else. Which there are is `checks.ts`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { checks, type Step, suites } from "./checks.ts";
import { type Tally, tally } from "./tally.ts";

const root = resolve(import.meta.dirname, "..");
const flag = { type: "boolean" } as const;
const { values } = parseArgs({ options: { all: flag, suites: flag } });

const results = [...(values.suites ? [] : checks), ...(values.all || values.suites ? suites : [])].map(
  (step) => ({ ...step, ...run(step) }),
);

process.stdout.write("\n");
for (const { script, passed, failed, skipped } of results) {
  const note = skipped ? `, ${skipped} of them skipped` : "";
  const said = failed ? `✗ ${failed} of ${passed + failed} not passed${note}` : `✓ ${passed}`;
  process.stdout.write(`${script.padEnd(16)}${said}\n`);
}
for (const { script, failures } of results)
  for (const failure of failures) process.stdout.write(`✗ ${script}: ${failure}\n`);
const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);
const failed = sum(results.map((result) => result.failed));
// The last line, which a pipeline reads.
process.stdout.write(`\n${sum(results.map(({ passed }) => passed))} passed, ${failed} failed\n`);
process.exitCode = failed ? 1 : 0;

function run({ script, args = [], isVitest }: Step): Tally {
  process.stdout.write(`\n── ${["npm run", script, ...(args.length ? ["--"] : []), ...args].join(" ")}\n`);
  const folder = mkdtempSync(join(tmpdir(), "report-"));
  try {
    const file = join(folder, "report.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const all = isVitest ? [...args, ...reporters] : args;
    const isSuccess = npmRun(script, all);
    if (isVitest) return tally(textOf(file), isSuccess);
    const failures = isSuccess ? [] : ["exited with an error"];
    return { passed: isSuccess ? 1 : 0, failed: failures.length, skipped: 0, failures };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function npmRun(script: string, args: readonly string[]): boolean {
  const telemetry = { PACT_DO_NOT_TRACK: "true", SCARF_ANALYTICS: "false", REDOCLY_TELEMETRY: "off" };
  const { status } = spawnSync("npm", ["run", "--silent", script, "--", ...args], {
    cwd: root,
    env: { ...process.env, ...telemetry },
    stdio: "inherit",
  });
  return status === 0;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
