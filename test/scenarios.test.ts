/** The table of scenarios in the documents is the one that the browser suite goes by: `-- -u` writes it anew. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { scenarios, tableOf } from "./browser/scenarios.ts";

const document = join(import.meta.dirname, "..", "docs", "runtimes.md");

it("docs/runtimes.md has every scenario of the browser suite, by engine", async () => {
  const [before, rest] = (await readFile(document, "utf8")).split("<!-- scenarios -->\n");
  const [, after] = rest?.split("<!-- /scenarios -->\n") ?? [];
  const table = `<!-- scenarios -->\n${tableOf(scenarios)}\n<!-- /scenarios -->\n`;
  await expect(`${before}${table}${after}`).toMatchFileSnapshot(document);
});
