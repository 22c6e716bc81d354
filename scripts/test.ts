/**
 * `npm test`: runs every check of `checks.ts`, continues after a failure, and ends with one line of counts. The tests run
 * in one lane, and the other checks, which use one processor each, in a second lane.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runCommand, UsageError } from "../contracts/command.ts";
import { type Check, checks, suites } from "./checks.ts";
import { type Tally, tally } from "./tally.ts";

const namesOf = (some: readonly Check[]) => some.map(({ name }) => name).join(", ");

const help = `Usage: npm test
       npm test -- <name>…
       npm test -- --all | --suites

Runs every check that needs Node and npm only, or the named ones. The last line counts the
passed and the failed tests; a skipped test counts as failed.

  --all     runs the suites, too, which need Redis, Ruby, browsers and other runtimes
  --suites  runs nothing but these
  --help    shows this text

Checks: ${namesOf(checks)}.
Suites: ${namesOf(suites)}.
`;

const flag = { type: "boolean" } as const;

await runCommand({
  name: "test",
  help,
  options: { all: flag, suites: flag },
  allowPositionals: true,
  async run(values, names) {
    const known = [...checks, ...suites];
    const unknown = names.find((name) => !known.some((check) => check.name === name));
    if (unknown) throw new UsageError(`Unknown check ${unknown}. The checks are ${namesOf(known)}.`);
    const chosen = values.all ? known : values.suites ? suites : checks;
    const named = known.filter(({ name }) => names.includes(name));
    report(await outcomesOf(named.length > 0 ? named : chosen));
  },
});

type Outcome = Check & Tally & { seconds: number };

/** Runs the checks marked `isAlone` one by one, and the others in two lanes. */
async function outcomesOf(chosen: readonly Check[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  async function lane(some: readonly Check[]): Promise<void> {
    for (const check of some) outcomes.push({ ...check, ...(await outcomeOf(check)) });
  }
  const isHeavy = ({ isVitest, isLight }: Check) => isVitest && !isLight;
  let stage: Check[] = [];
  for (const check of [...chosen, undefined]) {
    if (check && !check.isAlone) {
      stage.push(check);
      continue;
    }
    await Promise.all([lane(stage.filter(isHeavy)), lane(stage.filter((one) => !isHeavy(one)))]);
    stage = [];
    if (check) await lane([check]);
  }
  return outcomes;
}

function report(outcomes: readonly Outcome[]): void {
  process.stdout.write("\n");
  for (const { name, passed, failed, skipped, seconds } of outcomes) {
    const note = skipped ? `, ${skipped} of them skipped` : "";
    const said = failed ? `✗ ${failed} of ${passed + failed} not passed${note}` : `✓ ${passed}`;
    process.stdout.write(`${name.padEnd(15)}${`${seconds.toFixed(0)} s`.padStart(6)}  ${said}\n`);
  }
  for (const { name, failures } of outcomes)
    for (const failure of failures) process.stdout.write(`✗ ${name}: ${failure}\n`);
  const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);
  const failed = sum(outcomes.map((outcome) => outcome.failed));
  // A pipeline reads this last line.
  process.stdout.write(`\n${sum(outcomes.map(({ passed }) => passed))} passed, ${failed} failed\n`);
  if (failed > 0) process.exitCode = 1;
}

async function outcomeOf({ name, command, isVitest }: Check): Promise<Tally & { seconds: number }> {
  const folder = mkdtempSync(join(tmpdir(), "report-"));
  const begun = performance.now();
  try {
    const file = join(folder, "report.json");
    const reporters = isVitest ? ` --reporter=default --reporter=json --outputFile.json=${file}` : "";
    const isSuccess = await runInShell(command + reporters);
    const seconds = (performance.now() - begun) / 1_000;
    if (isVitest)
      return { ...tally(await readFile(file, "utf8").catch(() => undefined), isSuccess), seconds };
    const failures = isSuccess ? [] : [`exited with an error, shown above; alone: npm test -- ${name}`];
    return { passed: isSuccess ? 1 : 0, failed: failures.length, skipped: 0, failures, seconds };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs a command, and prints its output after it has ended, because two run at a time. */
async function runInShell(command: string): Promise<boolean> {
  const telemetry = { PACT_DO_NOT_TRACK: "true", SCARF_ANALYTICS: "false", REDOCLY_TELEMETRY: "off" };
  const child = spawn(command, {
    shell: true,
    cwd: resolve(import.meta.dirname, ".."),
    // Commands are found in node_modules/.bin, which npm adds to the PATH.
    env: { ...process.env, ...telemetry, IS_BUILT: "true" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => output.push(chunk));
  const [status] = await once(child, "close");
  process.stdout.write(`\n── ${command}\n${Buffer.concat(output)}`);
  return status === 0;
}
