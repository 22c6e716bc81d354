/**
 * `npm run release:version`: what the pull request of a release changes, in the working folder. The changesets decide on
 * the version; the lock file and the changelog, which they leave alone, follow it.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { firstSentence } from "../contracts/message.ts";
import { releasedChangelog } from "./release-rules.ts";

const read = (name: string): { version: string; packages: Record<string, { version?: string }> } =>
  JSON.parse(readFileSync(name, "utf8"));

try {
  const { version: old } = read("package.json");
  execFileSync("npx", ["--no", "changeset", "version"], { stdio: "inherit" });
  const { version } = read("package.json");
  if (version === old) process.stdout.write("The version stays as it is.\n");
  else {
    writeFileSync("CHANGELOG.md", releasedChangelog(readFileSync("CHANGELOG.md", "utf8"), version));
    const lock = read("package-lock.json");
    lock.version = version;
    Object.assign(lock.packages[""] ?? {}, { version });
    writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
    process.stdout.write(`The next version is ${version}.\n`);
  }
} catch (error) {
  process.stderr.write(`release:version: ${firstSentence(error)}\n`);
  process.exitCode = 1;
}
