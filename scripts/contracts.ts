/**
 * `npm run contracts`: records the contract again with the consumer's tests (`contracts/consumer`), or checks that the
 * committed file matches the recording.
 */
import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve, sep } from "node:path";
import { runCommand } from "../contracts/command.ts";
import { tally } from "./tally.ts";

const help = `Usage: npm run contracts -- [--check] [--pacts <folder>]

Runs the consumer's contract tests and writes what they record to contracts/pacts,
instead of all files there.

  --check           writes nothing; fails when the files there are other ones
  --pacts <folder>  a folder of pact files instead of contracts/pacts
  --help            shows this text

Exit codes: 0 done, 1 a test failed or (--check) out of date, 2 wrong usage.
`;

const root = resolve(import.meta.dirname, "..");

await runCommand({
  name: "contracts",
  help,
  options: { check: { type: "boolean" }, pacts: { type: "string" } },
  async run({ check, pacts = join(root, "contracts", "pacts") }) {
    const folder = resolve(pacts);
    const shown = relative(process.cwd(), folder).replaceAll(sep, "/");
    const temporary = await mkdtemp(join(tmpdir(), "baanx-session-contracts-"));
    const recorded = join(temporary, "pacts");
    try {
      const { broken, details } = await recordAll(recorded, join(temporary, "report.json"));
      if (broken.length > 0) {
        process.stderr.write(`${details}\n`);
        return [...broken, `The consumer's tests failed; ${shown} is as it was.`];
      }
      const difference = compare(await filesOf(folder), await filesOf(recorded));
      if (check && difference) return [`${shown}: ${difference} Run \`npm run contracts\`.`];
      if (!check) {
        await rm(folder, { recursive: true, force: true });
        await cp(recorded, folder, { recursive: true });
      }
      const state = difference ? "written again" : "up to date with the consumer's tests";
      process.stdout.write(`${shown} is ${state}.\n`);
      return [];
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  },
});

/** Resolves to a line for each broken interaction, and to the detailed output of the tests. */
async function recordAll(output: string, report: string): Promise<{ broken: string[]; details: string }> {
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const of = ["--root", root, "--project", "consumer", "--no-file-parallelism"];
  const { status, stdout, stderr } = spawnSync(process.execPath, [vitest, "run", ...of, ...reporters], {
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    env: {
      ...process.env,
      CONTRACTS_OUTPUT: output,
      PACT_DO_NOT_TRACK: "true",
      SCARF_ANALYTICS: "false",
    },
  });
  if (status === 0) return { broken: [], details: "" };
  const { failures } = tally(await readFile(report, "utf8").catch(() => undefined), false);
  return { broken: failures, details: stdout + stderr };
}

type Files = Map<string, Buffer>;

/** Names the first file that differs. */
function compare(there: Files, recorded: Files): string | undefined {
  for (const [name, content] of recorded) {
    if (!there.has(name)) return `${name} is missing.`;
    if (there.get(name)?.equals(content) !== true) return `${name} is out of date.`;
  }
  const stray = [...there.keys()].find((name) => !recorded.has(name));
  return stray && `${stray} is recorded by no test.`;
}

async function filesOf(folder: string): Promise<Files> {
  const names = await readdir(folder).catch(() => []);
  const files = names.sort().map(async (name) => [name, await readFile(join(folder, name))] as const);
  return new Map(await Promise.all(files));
}
