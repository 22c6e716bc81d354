/** Bundles a test program and the built package into one file, with the addresses that the program needs. */
import { resolve } from "node:path";
import { type BuildOptions, build } from "esbuild";
import type { BuiltPackage } from "./built.ts";

/**
 * @param contents - TypeScript that imports from the folder `test`
 * @param settings - the value of `SETTINGS` in the program
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
    // Without this, the compiler's paths would lead to the sources.
    tsconfigRaw: {},
    // The package declares that it lacks side effects, and its declaration covers the test programs in its folder.
    ignoreAnnotations: true,
    write: false,
    logLevel: "silent",
    absWorkingDir: resolve(import.meta.dirname, ".."),
    ...options,
    define: { SETTINGS: JSON.stringify(settings), ...options.define },
  });
  return outputFiles?.[0]?.text ?? "";
}
