/** How `npm test` counts: each rule with the report of a real vitest run. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { type Tally, tally } from "../scripts/tally.ts";

const modules = resolve(import.meta.dirname, "../node_modules");

vi.setConfig({ testTimeout: 30_000 });

/** Counts a run of these test files. */
async function countOf(...files: string[]): Promise<Tally> {
  const folder = await mkdtemp(join(tmpdir(), "tally-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await symlink(modules, join(folder, "node_modules"));
  for (const [index, text] of files.entries()) {
    const imports = 'import { afterAll, beforeAll, describe, expect, it } from "vitest";';
    await writeFile(join(folder, `${index}.test.js`), `${imports}\n${text}`);
  }
  const report = join(folder, "report.json");
  const vitest = join(modules, "vitest", "vitest.mjs");
  const args = [vitest, "run", "--root", folder, "--reporter=json", `--outputFile.json=${report}`];
  const isSuccess = await new Promise<boolean>((done) => {
    execFile(process.execPath, args, { cwd: folder }, (error) => done(error === null));
  });
  return tally(await readFile(report, "utf8").catch(() => undefined), isSuccess);
}

const passing = 'it("passes", () => {});';

it("counts skipped tests and files that cannot run as failed, and names each failure with its first line", async () => {
  const count = await countOf(
    passing,
    'describe("a sum", () => { it("adds", () => expect(1 + 1, "in binary").toBe(10)); });',
    'it.skip("a", () => {}); describe.skip("b", () => { it("c", () => {}); }); it.todo("d");',
    'throw new Error("no such thing\\nat all");',
    'beforeAll(() => { throw new Error("no set-up"); }); it("never runs", () => {});',
    `describe("a browser", () => { afterAll(() => { throw new Error(); }); ${passing} });`,
  );
  expect(count).toEqual({
    passed: 2,
    failed: 1 + 3 + 1 + 1 + 1,
    // One test of the file whose set-up throws is skipped.
    skipped: 3 + 1,
    failures: [
      "1.test.js: a sum adds: AssertionError: in binary: expected 2 to be 10 // Object.is equality",
      "3.test.js: no such thing",
      "4.test.js: no set-up",
      "5.test.js: failed outside of its tests",
    ],
  });
});

it("has one failure for an error outside of every test", async () => {
  const late =
    'setTimeout(() => { throw new Error(); }); it("waits", () => new Promise((done) => setTimeout(done, 100)));';
  expect(await countOf(passing, late)).toMatchObject({ passed: 2, failed: 1, skipped: 0 });
});

it("has one failure if nothing ran", async () => {
  expect(await countOf()).toMatchObject({ passed: 0, failed: 1, skipped: 0 });
});

it.each([undefined, "", "{"])("has one failure without a report, for any exit code: %j", (report) => {
  expect(tally(report, true)).toMatchObject({ passed: 0, failed: 1, skipped: 0 });
});
