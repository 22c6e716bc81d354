/** Builds the package into a temporary folder, because an existing build may be outdated. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const root = resolve(import.meta.dirname, "..");

export interface BuiltPackage {
  /** Contains `node_modules` with the package and its dependencies. */
  folder: string;
  /** The path of the package's main module. */
  entry: string;
  remove(): Promise<void>;
}

export async function buildPackage(): Promise<BuiltPackage> {
  const folder = await mkdtemp(join(tmpdir(), "built-"));
  const modules = join(folder, "node_modules");
  const home = join(modules, "baanx-session");
  await mkdir(home, { recursive: true });
  const tsdown = join(root, "node_modules", ".bin", "tsdown");
  await promisify(execFile)(tsdown, ["--out-dir", join(home, "dist")], { cwd: root });
  await cp(join(root, "package.json"), join(home, "package.json"));
  await cp(join(root, "node_modules", "openapi-fetch"), join(modules, "openapi-fetch"), { recursive: true });
  return {
    folder,
    entry: join(home, "dist", "index.js"),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
