/** The scenario table in the documents matches the browser suite. `-- -u` rewrites it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { scenarios, tableOf } from "./browser/scenarios.ts";

const document = join(import.meta.dirname, "..", "docs", "runtimes.md");

it("lists every scenario of the browser suite in docs/runtimes.md, by engine", async () => {
  const [before, rest] = (await readFile(document, "utf8")).split("<!-- scenarios -->\n");
  const [, after] = rest?.split("<!-- /scenarios -->\n") ?? [];
  const table = `<!-- scenarios -->\n${tableOf(scenarios)}\n<!-- /scenarios -->\n`;
  await expect(`${before}${table}${after}`).toMatchFileSnapshot(document);
});
