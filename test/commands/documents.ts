/** The commands that the documents name: each command of their blocks of `sh`, and the scripts in their prose. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

const guides = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
export const documents = [
  "README.md",
  "CONTRIBUTING.md",
  ...guides.map((name) => `docs/${name}`),
  "contracts/README.md",
  "examples/browser/README.md",
  "examples/react-native/README.md",
  "examples/server-queue/README.md",
  "examples/server-redis/README.md",
];

const texts = documents.map((name) => readFileSync(join(root, name), "utf8"));

/** Each once: without comments and without the variables that are set before it. */
export function commandsInBlocks(): string[] {
  const blocks = texts.flatMap((text) => [...text.matchAll(/^```sh\n(.*?)^```$/gms)]);
  const lines = blocks.flatMap(([, block = ""]) => block.replaceAll(/\\\n\s*/g, "").split("\n"));
  const commands = lines.flatMap((line) => line.replace(/(^|\s)#.*/, "").split("&&"));
  const bare = commands.map((command) => command.trim().replace(/^([A-Z_]+=\S+\s+)+/, ""));
  return [...new Set(bare)].filter((command) => command !== "" && !command.startsWith("export "));
}

/** Returns the scripts that the documents name after `npm run`. */
export function scriptsInDocuments(): string[] {
  const named = texts.flatMap((text) => [...text.matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g)]);
  return [...new Set(named.map(([, name = ""]) => name))];
}
