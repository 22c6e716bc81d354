/**
 * What the README says in code: its TypeScript compiles, and its tables list the values that exist. Its commands are
 * started by `commands/`. Whether its prose is true is for people to judge.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it, vi } from "vitest";
import { blocksOf, problemsOf } from "./compile.ts";

const root = resolve(import.meta.dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");

vi.setConfig({ testTimeout: 60_000 });

const blocks = blocksOf(readme);

/** The first column of the table with this heading. */
function valuesOf(heading: string): string[] {
  const table = readme.split(`\n| \`${heading}\` |`)[1]?.split("\n\n", 1)[0] ?? "";
  return [...table.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, value = ""]) => value);
}

/** Compiles only when the table has every value of the type and no other. */
const listing = (heading: string, type: string) => `
  import type { SessionEnd, SessionErrorCode } from "baanx-session";
  export const listed: Record<${type}, 0> = { ${valuesOf(heading).map((value) => `"${value}": 0`)} };
  export type { SessionEnd, SessionErrorCode };`;

const all = [
  ...blocks,
  listing("server", 'SessionEnd["server"]'),
  listing("local", 'SessionEnd["local"]'),
  listing("code", "SessionErrorCode"),
];

it("has code that compiles, and tables of the values that exist", () => {
  expect(blocks.length).toBeGreaterThan(2);
  expect(problemsOf("readme", all)).toEqual([]);
});
