/** What the tests of the package share: the packed tarball, installed by npm in fresh folders, from files only. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll } from "vitest";

export const run = promisify(execFile);
export const root = resolve(import.meta.dirname, "..");
const isBuilt = process.env["IS_BUILT"] === "true";

/** Call it in the body of a file: packs once, which builds once. */
export function usePackage() {
  let folder = "";

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "package-"));
    await mkdir(join(folder, "tarballs"));
    // Builds first (`prepack`), as for a release; a whole run of the checks has built before.
    await pack(root, ...(isBuilt ? ["--ignore-scripts"] : []));
    await packDependencies(root);
    await install();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const pack = (home: string, ...args: string[]) =>
    run("npm", ["pack", ...args, "--pack-destination", join(folder, "tarballs")], { cwd: home });

  /** What would come from a registry; nothing may be fetched after `npm ci`. */
  async function packDependencies(home: string): Promise<void> {
    const manifest: { dependencies?: Record<string, string> } = JSON.parse(
      await readFile(join(home, "package.json"), "utf8"),
    );
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      await pack(join(root, "node_modules", name), "--ignore-scripts");
      await packDependencies(join(root, "node_modules", name));
    }
  }
  const tarballs = async () =>
    (await readdir(join(folder, "tarballs"))).map((name) => join(folder, "tarballs", name));

  async function install(): Promise<void> {
    const home = join(folder, "installed");
    await mkdir(home);
    await writeFile(join(home, "package.json"), '{ "private": true, "type": "module" }');
    const args = ["install", "--offline", "--no-audit", "--no-fund", "--cache", join(folder, "cache")];
    await run("npm", [...args, ...(await tarballs())], { cwd: home });
  }

  /** A fresh folder with these files, and a copy of the one installation. */
  async function project(files: Record<string, string> = {}): Promise<string> {
    const home = await mkdtemp(join(folder, "project-"));
    await cp(join(folder, "installed"), home, { recursive: true, verbatimSymlinks: true });
    for (const [name, content] of Object.entries(files)) await writeFile(join(home, name), content);
    return home;
  }

  return {
    /** The files that the package's own tarball holds, as npm unpacks it. */
    async packed(): Promise<string[]> {
      const home = join(await project(), "node_modules", "baanx-session");
      const found = await readdir(home, { recursive: true, withFileTypes: true });
      return found
        .filter((entry) => entry.isFile())
        .map((entry) => relative(home, join(entry.parentPath, entry.name)))
        .sort();
    },
    project,
  };
}
