/**
 * Checks the documents: their TypeScript compiles, and they list every value that exists. `npm test -- links` checks their
 * links, `commands/` starts their commands, and `messages.test.ts` compares the codes of errors.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { blocksOf, compilerOutput } from "./compile.ts";

const root = resolve(import.meta.dirname, "..");
const read = (name: string) => readFileSync(join(root, name), "utf8");
const guides = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
const withCode = ["README.md", ...guides.map((name) => `docs/${name}`), "examples/migrate.md"];

vi.setConfig({ testTimeout: 60_000 });

// In this folder, the compiler finds the dependencies.
const folder = mkdtempSync(join(root, "node_modules", ".documents-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("compiles the code of every document, whose tables list every result that exists, and no other", async () => {
  const codes = withCode.flatMap((name) => blocksOf(read(name)));
  expect(codes.length).toBeGreaterThan(10);

  /** Returns the first column of the table with this heading. */
  const valuesOf = (heading: string) => {
    const table = read("docs/results-and-errors.md").split(`\n| ${heading} |`)[1]?.split("\n\n", 1)[0] ?? "";
    return [...table.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, value = ""]) => value);
  };
  /** Returns code that compiles only if the values are all values of the type. */
  const listing = (type: string, values: string[]) => `
    import type { SessionEnd, SessionStart } from "baanx-session";
    export const listed: Record<${type}, 0> = { ${values.map((value) => `"${value}": 0`)} };
    export type { SessionEnd, SessionStart };`;
  const listings = [
    listing('SessionEnd["server"]', valuesOf("`server`")),
    listing('SessionEnd["local"]', valuesOf("`local`")),
    listing('SessionStart["local"]', valuesOf("`local` of `start()`")),
  ];

  const files = [...codes, ...listings].map((code, index) => [`document-${index}.ts`, code]);
  const paths = {
    "baanx-session": [join(root, "src", "index.ts")],
    "baanx-session/sandbox": [join(root, "src", "sandbox", "index.ts")],
  };
  const compilerOptions = { skipDefaultLibCheck: true, paths };
  const settings = { extends: join(root, "tsconfig.json"), compilerOptions };
  expect(await compilerOutput(folder, Object.fromEntries(files), settings)).toBe("");
});

it("names a test that exists for each row of the threat model", () => {
  const rows = read("SECURITY.md").match(/^\| .* \|$/gm) ?? [];
  const tests = rows.flatMap((row) => row.match(/`test\/[^`]+`/g) ?? []);
  expect(tests.length).toBeGreaterThan(25);
  expect(tests.filter((name) => !existsSync(join(root, name.slice(1, -1))))).toEqual([]);
});
