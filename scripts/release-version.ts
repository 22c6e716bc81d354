/**
 * Prepares the pull request of a release in the working folder. Changesets set the version; this script updates the lock
 * file and the changelog.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { runCommand } from "../contracts/command.ts";
import { releasedChangelog } from "./release-rules.ts";

const versionOf = (): string => JSON.parse(readFileSync("package.json", "utf8")).version;

const help = `Usage: npx tsx scripts/release-version.ts

Moves the version, the lock file and the changelog on, as the changesets say.

  --help  shows this text
`;

await runCommand({
  name: "release-version",
  help,
  options: {},
  async run() {
    const old = versionOf();
    execFileSync("npx", ["--no", "changeset", "version"], { stdio: "inherit" });
    const version = versionOf();
    if (version === old) {
      process.stdout.write("The version stays as it is.\n");
      return;
    }
    writeFileSync("CHANGELOG.md", releasedChangelog(readFileSync("CHANGELOG.md", "utf8"), version));
    // Changesets leave the lock file alone.
    const flags = ["--allow-same-version", "--no-git-tag-version", "--ignore-scripts"];
    execFileSync("npm", ["version", version, ...flags], { stdio: "inherit" });
    process.stdout.write(`The next version is ${version}.\n`);
  },
});
