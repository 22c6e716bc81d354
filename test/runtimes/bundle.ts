/** Makes one file of the scenario for a runtime, with the addresses of its world in it. */
import { resolve } from "node:path";
import { type BuildOptions, build } from "esbuild";
import type { BuiltPackage } from "../built.ts";
import type { Settings } from "./scenario.ts";

const root = resolve(import.meta.dirname, "../..");

/**
 * @param main - what the runtime does with `run`, the scenario
 * @returns the code
 */
export async function bundle(
  main: string,
  settings: Settings,
  { entry }: BuiltPackage,
  options: BuildOptions = {},
): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: main, resolveDir: import.meta.dirname, loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    define: { SETTINGS: JSON.stringify(settings) },
    alias: { "baanx-session": entry },
    // Else the paths that the compiler is given would lead to the sources.
    tsconfigRaw: {},
    write: false,
    logLevel: "silent",
    absWorkingDir: root,
    ...options,
  });
  return outputFiles?.[0]?.text ?? "";
}
