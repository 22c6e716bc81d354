/**
 * Prepares the pull request of a release in the working folder. Changesets set the version; this script updates the lock
 * file and the changelog.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { runCommand } from "../contracts/command.ts";
import { releasedChangelog } from "./release-rules.ts";

const read = (name: string): { version: string; packages: Record<string, { version?: string }> } =>
  JSON.parse(readFileSync(name, "utf8"));

const help = `Usage: npx tsx scripts/release-version.ts

Moves the version, the lock file and the changelog on, as the changesets say.

  --help  shows this text
`;

await runCommand({
  name: "release-version",
  help,
  options: {},
  async run() {
    const { version: old } = read("package.json");
    execFileSync("npx", ["--no", "changeset", "version"], { stdio: "inherit" });
    const { version } = read("package.json");
    if (version === old) {
      process.stdout.write("The version stays as it is.\n");
      return;
    }
    writeFileSync("CHANGELOG.md", releasedChangelog(readFileSync("CHANGELOG.md", "utf8"), version));
    const lock = read("package-lock.json");
    lock.version = version;
    Object.assign(lock.packages[""] ?? {}, { version });
    writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
    process.stdout.write(`The next version is ${version}.\n`);
  },
});
