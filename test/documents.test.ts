/**
 * Checks the documents: their TypeScript compiles, and they list every value that exists. `npm test -- links` checks their
 * links, and `commands/` starts their commands.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it, vi } from "vitest";
import { blocksOf, problemsOf } from "./compile.ts";

const root = resolve(import.meta.dirname, "..");
const read = (name: string) => readFileSync(join(root, name), "utf8");
const guides = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
const withCode = ["README.md", ...guides.map((name) => `docs/${name}`), "examples/migrate.md"];

vi.setConfig({ testTimeout: 180_000 });

it("compiles the code of every document", () => {
  const codes = withCode.flatMap((name) => blocksOf(read(name)));
  expect(codes.length).toBeGreaterThan(10);
  expect(problemsOf("document", codes)).toEqual([]);
});

it("names a test that exists for each row of the threat model", () => {
  const rows = read("SECURITY.md").match(/^\| .* \|$/gm) ?? [];
  const tests = rows.flatMap((row) => row.match(/`test\/[^`]+`/g) ?? []);
  expect(tests.length).toBeGreaterThan(25);
  expect(tests.filter((name) => !existsSync(join(root, name.slice(1, -1))))).toEqual([]);
});

it("lists every result and every error that exists, and no other", () => {
  const results = read("docs/results-and-errors.md");

  /** Returns the first column of the table with this heading. */
  const valuesOf = (heading: string) => {
    const table = results.split(`\n| ${heading} |`)[1]?.split("\n\n", 1)[0] ?? "";
    return [...table.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, value = ""]) => value);
  };
  /** Returns code that compiles only if the values are all values of the type. */
  const listing = (type: string, values: string[]) => `
    import type { SessionEnd, SessionErrorCode, SessionStart } from "baanx-session";
    export const listed: Record<${type}, 0> = { ${values.map((value) => `"${value}": 0`)} };
    export type { SessionEnd, SessionErrorCode, SessionStart };`;
  // Each error message ends with a link to the section of its code.
  const sections = results.split("\n## Errors\n")[1] ?? "";
  const codes = [...sections.matchAll(/^### (.*)$/gm)].map(([, code = ""]) => code);

  const listings = [
    listing('SessionEnd["server"]', valuesOf("`server`")),
    listing('SessionEnd["local"]', valuesOf("`local`")),
    listing('SessionStart["local"]', valuesOf("`local` of `start()`")),
    listing("SessionErrorCode", codes),
  ];
  expect(problemsOf("table", listings)).toEqual([]);
});
