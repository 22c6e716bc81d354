/** Compiles TypeScript as its users do: with TypeScript 7, or another version. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const modules = resolve(import.meta.dirname, "..", "node_modules");
const compilerOf = (name: string) => join(modules, name, "bin", "tsc");

/** TypeScript 5.9 and 7. */
export const compilers = ["typescript", "typescript7"] as const;

/** Returns the README's or another document's blocks of TypeScript, those with a label (a tab of the site) included. */
export const blocksOf = (markdown: string): string[] =>
  [...markdown.matchAll(/^```ts(?: \[.*\])?\n(.*?)^```$/gms)].map(([, code = ""]) => code);

/** Writes files into a folder and compiles them. Resolves to the compiler's messages, or to an empty string. */
export async function compilerOutput(
  folder: string,
  files: Record<string, string>,
  settings: { extends?: string; compilerOptions: object },
  compiler: (typeof compilers)[number] = "typescript7",
): Promise<string> {
  for (const [name, code] of Object.entries(files)) await writeFile(join(folder, name), code);
  const config = { ...settings, files: Object.keys(files), include: [] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  const args = [compilerOf(compiler), "-p", folder];
  // Compilers print their messages on stdout.
  const { stdout } = await promisify(execFile)(process.execPath, args).catch((error) => error);
  return stdout;
}
