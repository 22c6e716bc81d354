/** Makes one file of a test program and the built package, with the addresses that the program needs in it. */
import { resolve } from "node:path";
import { type BuildOptions, build } from "esbuild";
import type { BuiltPackage } from "./built.ts";

/**
 * @param contents - TypeScript that imports from the folder `test`
 * @param settings - what `SETTINGS` is in it
 * @returns the code
 */
export async function bundle(
  contents: string,
  settings: object,
  { entry }: Pick<BuiltPackage, "entry">,
  options: BuildOptions = {},
): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    alias: { "baanx-session": entry },
    // Else the paths that the compiler is given would lead to the sources.
    tsconfigRaw: {},
    // The package has no side effects, and says so of all its folder; the programs of tests have little else.
    ignoreAnnotations: true,
    write: false,
    logLevel: "silent",
    absWorkingDir: resolve(import.meta.dirname, ".."),
    ...options,
    define: { SETTINGS: JSON.stringify(settings), ...options.define },
  });
  return outputFiles?.[0]?.text ?? "";
}
