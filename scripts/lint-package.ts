/**
 * `npm test -- package`: performs a release in a copy of the tree, like the workflow but offline: the next version, the
 * tarball, and `npm publish --dry-run`. Then publint and attw check the tarball strictly. `test/package.test.ts` tests the
 * installed package.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");

process.exitCode = main();

function main(): number {
  const folder = mkdtempSync(join(tmpdir(), "package-"));
  try {
    const copy = copyInto(join(folder, "copy"));
    // A placeholder: the workflow that publishes sets its own repository.
    const env = { ...process.env, GITHUB_REPOSITORY: "example/baanx-session" };
    const tsx = join(root, "node_modules", ".bin", "tsx");
    const step = (name: string, ...args: string[]) =>
      run(tsx, [join("scripts", `release-${name}.ts`), ...args], copy, env);
    // `prepack` also builds.
    if (!step("version") || !step("pack", "--folder", folder)) return 1;
    const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "");
    const tool = (name: string, ...args: string[]) =>
      run(join(root, "node_modules", ".bin", name), args, root);
    const isPublishable = tool("publint", "run", tarball, "--strict");
    // These are not modules, so they lack types.
    const modules = ["--exclude-entrypoints", "openapi.yaml", "pact.json", "provider-states.json"];
    const hasTypes = tool("attw", tarball, "--profile", "esm-only", "--format", "ascii", ...modules);
    return isPublishable && hasTypes ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Copies the working tree, including uncommitted files, without ignored files. */
function copyInto(folder: string): string {
  const list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const files = execFileSync("git", list, { cwd: root, encoding: "utf8" }).split("\0").filter(Boolean);
  for (const file of files) cpSync(join(root, file), join(folder, file));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}

function run(command: string, args: string[], cwd: string, env = process.env): boolean {
  return spawnSync(command, args, { cwd, env, stdio: "inherit" }).status === 0;
}
