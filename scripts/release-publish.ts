/**
 * Publishes the package in the working folder, as the workflow of a release does, with the address of the workflow's
 * own repository in it.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { runCommand } from "../contracts/command.ts";
import { originFrom, problemsOf } from "./release-rules.ts";

const help = `Usage: npx tsx scripts/release-publish.ts [--dry-run]

Publishes the package in the working folder, as the workflow of a release does.

  --dry-run  does everything but send it, without a network and without credentials
  --help     shows this text
`;

await runCommand({
  name: "release-publish",
  help,
  options: { "dry-run": { type: "boolean" } },
  async run({ "dry-run": isDry = false }) {
    return publish(isDry);
  },
});

/** Returns why nothing was published. */
function publish(isDry: boolean): readonly string[] {
  const origin = originFrom(process.env);
  const committed = readFileSync("package.json", "utf8");
  const manifest = { ...JSON.parse(committed), ...origin };
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
  const changelog = readFileSync("CHANGELOG.md", "utf8");
  const problems = problemsOf({ manifest, lock, changelog }, origin);
  if (problems.length > 0) return [...problems, "Nothing was published."];
  try {
    writeFileSync("package.json", `${JSON.stringify(manifest, null, 2)}\n`);
    if (isDry) rehearse();
    else run("npx", ["--no", "changeset", "publish"]);
    return [];
  } finally {
    // The address belongs to what is published, not to this repository, which may be a copy.
    writeFileSync("package.json", committed);
  }
}

/** @throws Error when npm would change something, too: what is published is what was checked */
function rehearse(): void {
  // Where nothing listens, so that nobody is asked which versions there are.
  const nowhere = ["--registry", "http://127.0.0.1:9", "--fetch-retries", "0"];
  const said = run("npm", ["publish", "--dry-run", "--access", "public", "--loglevel", "notice", ...nowhere]);
  if (/auto-corrected/.test(said)) throw new Error("npm would correct package.json: run `npm pkg fix`.");
}

/** Resolves to what was said on stderr. @throws Error when it failed */
function run(command: string, args: string[]): string {
  const { status, stderr } = spawnSync(command, args, {
    stdio: ["inherit", "inherit", "pipe"],
    encoding: "utf8",
  });
  process.stderr.write(stderr);
  if (status !== 0) throw new Error(`${command} ${args[0]} failed.`);
  return stderr;
}
