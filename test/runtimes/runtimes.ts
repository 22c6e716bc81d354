/** The runtimes: how each is installed, and how it gets the scenario. The tests judge the results. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { BuiltPackage } from "../built.ts";
import { bundle } from "../bundle.ts";
import { runInReactNative } from "./react-native/run.ts";
import type { Outcome, Settings } from "./scenario.ts";
import { runInWorkerd } from "./workerd.ts";

const modules = join(import.meta.dirname, "node_modules");

export interface Runtime {
  name: string;
  /** The installed package that it needs. */
  needs: string;
  run(built: BuiltPackage, settings: Settings): Promise<Ran>;
}

export interface Ran {
  /** The runtime's own name and version. */
  version: string;
  outcome: Outcome;
}

export const runtimes: readonly Runtime[] = [
  ...[20, 22, 24, 26].map((major) =>
    asProcess(`Node ${major}`, `node-${major}/bin/node`, [], '"Node " + process.versions.node'),
  ),
  asProcess("Bun 1.4", ".bin/bun", [], '"Bun " + Bun.version'),
  asProcess(
    "Deno 2.9",
    ".bin/deno",
    ["run", "--allow-net=127.0.0.1", "--no-remote", "--node-modules-dir=manual"],
    '"Deno " + Deno.version.deno',
  ),
  // An old compatibility date, like a worker that was deployed long ago.
  ...["2022-01-31", "2026-04-01"].map(
    (date): Runtime => ({
      name: `workerd of ${date}`,
      needs: "miniflare",
      run: (built, settings) => runInWorkerd(modules, date, built, settings),
    }),
  ),
  ...["", " with an old URL"].map(
    (url): Runtime => ({
      name: `React Native 0.88${url}`,
      needs: "react-native",
      run: (built, settings) => runInReactNative(modules, built, settings, { isOldUrl: url !== "" }),
    }),
  ),
];

/** Returns why a runtime cannot run here. */
export function whyMissing({ needs }: Runtime): string | undefined {
  if (existsSync(join(modules, needs))) return undefined;
  return existsSync(modules)
    ? `${needs} is missing for this machine`
    : "npm ci --prefix test/runtimes was not run";
}

function asProcess(name: string, binary: string, args: readonly string[], version: string): Runtime {
  return {
    name,
    needs: binary,
    async run(built, settings) {
      const { folder } = built;
      // The runtime's own resolution finds the package, as in a project.
      const program = `import { run } from "./runtimes/scenario.ts";
        console.log(JSON.stringify({ outcome: await run(), version: ${version} }));`;
      const code = await bundle(program, settings, built, {
        alias: {},
        external: ["baanx-session"],
      });
      const file = `${name.replaceAll(/\W/g, "-")}.mjs`;
      await writeFile(join(folder, file), code);
      const { PATH = "", HOME = "" } = process.env;
      const { stdout } = await promisify(execFile)(join(modules, binary), [...args, file], {
        cwd: folder,
        env: { PATH, HOME, DENO_NO_UPDATE_CHECK: "1", DO_NOT_TRACK: "1" },
        timeout: 60_000,
      });
      return JSON.parse(stdout);
    },
  };
}
