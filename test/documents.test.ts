/**
 * What the documents say in code: their TypeScript compiles, and their tables list the values that exist. Their links
 * are checked by `npm test -- links`, their commands are started by `commands/`. Whether their prose is true is for
 * people to judge.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it, vi } from "vitest";
import { blocksOf, problemsOf } from "./compile.ts";

const root = resolve(import.meta.dirname, "..");
const read = (name: string) => readFileSync(join(root, name), "utf8");
const guides = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
const withCode = ["README.md", ...guides.map((name) => `docs/${name}`), "examples/migrate.md"];

vi.setConfig({ testTimeout: 60_000 });

it("have code that compiles", () => {
  const codes = withCode.flatMap((name) => blocksOf(read(name)));
  expect(codes.length).toBeGreaterThan(10);
  expect(problemsOf("document", codes)).toEqual([]);
});

it("list every result and every error that exists, and no other", () => {
  const results = read("docs/results-and-errors.md");

  /** The first column of the table with this heading. */
  const valuesOf = (heading: string) => {
    const table = results.split(`\n| \`${heading}\` |`)[1]?.split("\n\n", 1)[0] ?? "";
    return [...table.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, value = ""]) => value);
  };
  /** Compiles only when the table has every value of the type and no other. */
  const listing = (heading: string, type: string) => `
    import type { SessionEnd, SessionErrorCode } from "baanx-session";
    export const listed: Record<${type}, 0> = { ${valuesOf(heading).map((value) => `"${value}": 0`)} };
    export type { SessionEnd, SessionErrorCode };`;

  const listings = [
    listing("server", 'SessionEnd["server"]'),
    listing("local", 'SessionEnd["local"]'),
    listing("code", "SessionErrorCode"),
  ];
  expect(problemsOf("table", listings)).toEqual([]);
});
