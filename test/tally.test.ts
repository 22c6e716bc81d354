/** How `npm test` counts: each rule with the report of a real vitest run. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Tally, tally } from "../scripts/tally.ts";

const modules = resolve(import.meta.dirname, "../node_modules");

vi.setConfig({ testTimeout: 30_000 });

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tally-"));
  await symlink(modules, join(folder, "node_modules"));
});

afterEach(() => rm(folder, { recursive: true }));

/** Counts a run of these test files. */
async function countOf(...files: string[]): Promise<Tally> {
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

describe("the count of a test run", () => {
  it("counts tests over all files", async () => {
    const failing = 'it("fails", () => expect(1).toBe(2));';
    expect(await countOf(passing, passing + failing)).toMatchObject({ passed: 2, failed: 1, skipped: 0 });
  });

  it("counts skipped and todo tests as failed", async () => {
    const skipping =
      'it.skip("a", () => {}); describe.skip("b", () => { it("c", () => {}); }); it.todo("d");';
    expect(await countOf(passing, skipping)).toMatchObject({ passed: 1, failed: 3, skipped: 3 });
  });

  it("has one failure for a file that cannot be loaded", async () => {
    expect(await countOf(passing, 'import "./nothing";')).toMatchObject({ passed: 1, failed: 1, skipped: 0 });
  });

  it("has the failures of a set-up that throws", async () => {
    const setUp = 'beforeAll(() => { throw new Error(); }); it("never runs", () => {});';
    expect(await countOf(passing, setUp)).toMatchObject({ passed: 1, failed: 1 });
  });

  it("names each failure: its file, its name, and the first line of its reason", async () => {
    const failing =
      'describe("a sum", () => { it("is right", () => expect(1 + 1, "in binary").toBe(10)); });';
    expect(await countOf(passing, failing, 'throw new Error("no such thing\\nat all");')).toMatchObject({
      failures: [
        "1.test.js: a sum is right: AssertionError: in binary: expected 2 to be 10 // Object.is equality",
        "2.test.js: no such thing",
      ],
    });
  });

  it("has one failure for a failed tear-down, which the report does not explain", async () => {
    const failing = `describe("a browser", () => { afterAll(() => { throw new Error(); }); ${passing} });`;
    expect(await countOf(passing, failing)).toMatchObject({
      passed: 2,
      failed: 1,
      failures: ["1.test.js: failed outside of its tests"],
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
});
