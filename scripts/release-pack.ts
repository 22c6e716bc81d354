/**
 * Builds the files of a release, without permission to publish: the tarball with the address of the workflow's
 * repository, its SBOM, and the notes of its page. Another job publishes with npm.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { runCommand } from "../contracts/command.ts";
import { bundled } from "./bundled.ts";
import { entryOf, originFrom, problemsOf, sbomOf } from "./release-rules.ts";

const help = `Usage: npx tsx scripts/release-pack.ts [--folder <path>]

Builds and packs the package in the working folder, as the workflow of a release does, and
writes beside the tarball its SBOM (baanx-session.cdx.json) and its notes (notes.md).

  --folder <path>  where to; default: release
  --help           shows this text
`;

await runCommand({
  name: "release-pack",
  help,
  options: { folder: { type: "string" } },
  async run({ folder = "release" }) {
    return pack(resolve(folder));
  },
});

/** Returns the reasons why nothing was packed. */
function pack(folder: string): readonly string[] {
  const committed = readFileSync("package.json", "utf8");
  const manifest = { ...JSON.parse(committed), ...originFrom(process.env) };
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
  const changelog = readFileSync("CHANGELOG.md", "utf8");
  const problems = problemsOf({ version: manifest.version, lock, changelog });
  if (problems.length > 0) return [...problems, "Nothing was packed."];
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync("package.json", `${JSON.stringify(manifest, null, 2)}\n`);
    // `prepack` also builds.
    run("pack", "--pack-destination", folder);
    // Unreachable registry, for an offline run. `notice` prints npm's corrections, so that they fail here first.
    const nowhere = ["--registry", "http://127.0.0.1:9", "--fetch-retries", "0", "--loglevel", "notice"];
    const said = run("publish", "--dry-run", "--ignore-scripts", "--access", "public", ...nowhere);
    if (/auto-corrected/.test(said)) throw new Error("npm would correct package.json: run `npm pkg fix`.");
    const sbom = sbomOf(
      JSON.parse(run("sbom", "--package-lock-only", "--sbom-format", "cyclonedx")),
      bundled,
    );
    writeFileSync(join(folder, "baanx-session.cdx.json"), `${JSON.stringify(sbom, null, 2)}\n`);
    writeFileSync(join(folder, "notes.md"), `${entryOf(changelog, manifest.version)}\n`);
    return [];
  } finally {
    // The address belongs in the tarball, not in this repository, which may be a fork.
    writeFileSync("package.json", committed);
  }
}

/** Returns both outputs. @throws Error if it failed */
function run(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync("npm", args, { encoding: "utf8", maxBuffer: 100_000_000 });
  process.stderr.write(stderr);
  if (status !== 0) throw new Error(`npm ${args[0]} failed.`);
  return args[0] === "sbom" ? stdout : stdout + stderr;
}
