/**
 * `npm run release:publish`: publishes the package in the working folder, as the workflow does, with the address of the
 * workflow's own repository in it. `-- --dry-run` does everything but send it, without a network and without credentials.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { firstSentence } from "../contracts/message.ts";
import { originFrom, problemsOf } from "./release-rules.ts";

try {
  const { values } = parseArgs({ options: { "dry-run": { type: "boolean" } } });
  publish(values["dry-run"] === true);
} catch (error) {
  process.stderr.write(`release:publish: ${firstSentence(error)}\n`);
  process.exitCode = 1;
}

function publish(isDry: boolean): void {
  const origin = originFrom(process.env);
  const committed = readFileSync("package.json", "utf8");
  const manifest = { ...JSON.parse(committed), ...origin };
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
  const changelog = readFileSync("CHANGELOG.md", "utf8");
  const problems = problemsOf({ manifest, lock, changelog }, origin);
  for (const problem of problems) process.stderr.write(`release:publish: ${problem}\n`);
  if (problems.length > 0) throw new Error("Nothing was published.");
  try {
    writeFileSync("package.json", `${JSON.stringify(manifest, null, 2)}\n`);
    if (isDry) rehearse();
    else run("npx", ["--no", "changeset", "publish"]);
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
