/**
 * `npm run lint:package`: packs the package once and has publint and attw look at the tarball, both strictly. That it
 * works when it is installed is tested in `test/package.test.ts`.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");

process.exitCode = main();

function main(): number {
  const folder = mkdtempSync(join(tmpdir(), "package-"));
  try {
    // Builds first (`prepack`), as for a release.
    execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: root });
    const [name = ""] = readdirSync(folder);
    const tarball = join(folder, name);
    const isPublishable = run("publint", ["run", tarball, "--strict"]);
    // The specification is no module, so it has no types.
    const modules = ["--exclude-entrypoints", "openapi.yaml"];
    const hasTypes = run("attw", [tarball, "--profile", "esm-only", "--format", "ascii", ...modules]);
    return isPublishable && hasTypes ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(tool: string, args: string[]): boolean {
  const file = join(root, "node_modules", ".bin", tool);
  return spawnSync(file, args, { cwd: root, stdio: "inherit" }).status === 0;
}
