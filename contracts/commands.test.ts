/** Runs the commands like a person or a pipeline, against a provider that shares no code with this repository. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runHere } from "./fixtures/here.ts";
import { type Independent, runScript, startIndependentProvider } from "./fixtures/run.ts";
import { recordedPact } from "./pact-file.ts";
import type { Ran } from "./process.ts";

let provider: Independent | undefined;

afterEach(async () => {
  await provider?.stop();
  provider = undefined;
});

async function start(...args: string[]) {
  provider = await startIndependentProvider(...args);
  return provider;
}

function expectNoSecret({ out, err }: Ran, environment: Independent["environment"]): void {
  const secrets = Object.values(environment).flatMap((value) => value.split(/[,+]/));
  for (const secret of secrets) expect(out + err).not.toContain(secret);
  expect(out + err).not.toMatch(/t0\./);
}

describe("npm run contracts:verify", () => {
  it("verifies a provider over TCP", async () => {
    const { url, environment } = await start();
    const ran = await runHere("contracts-verify", [], { ...environment, PROVIDER_BASE_URL: url });
    expect(ran.out).toContain("10 passed, 0 failed, 0 unready, 0 pending, 0 skipped");
    expect(ran).toMatchObject({ code: 0, err: "" });
    expectNoSecret(ran, environment);
  });

  it("rejects one that forgets to end a session, and shows no secret", async () => {
    const { url, environment } = await start("--forget-logout");
    const ran = await runHere("contracts-verify", [], { ...environment, PROVIDER_BASE_URL: url });
    expect(ran.out).toMatch(/^✗ a read of the user after logout: status: expected 401 but was 200$/m);
    expect(ran.out).toMatch(/^ {2}pending: a second logout: status: expected 401 but was 200$/m);
    expect(ran.code).toBe(1);
    expectNoSecret(ran, environment);
  });

  it("names the interactions that it skips without credentials", async () => {
    const { url, environment } = await start();
    const { BAANX_TEST_OAUTH_TOKENS: _, ...others } = environment;
    const args = ["--only", "documented"];
    const ran = await runHere("contracts-verify", args, { ...others, PROVIDER_BASE_URL: url });
    expect(ran.out).toContain("skipped  a read of the user after revocation");
    expect(ran.out).toContain("4 passed, 0 failed, 0 unready, 0 pending, 2 skipped");
    expect(ran.code).toBe(0);
  });

  it("prints the failures first, one line each, with the place", async () => {
    const { url, environment } = await start("--text-success");
    const ran = await runHere("contracts-verify", [], { ...environment, PROVIDER_BASE_URL: url });
    const said = "$.success: Expected 'true' (String) to be equal to true (Boolean)";
    expect(ran.out.split("\n")[0]).toBe(`✗ a logout: ${said}`);
    expect(ran.code).toBe(1);
  });

  it("uses the sandbox without an address", async () => {
    const ran = await runHere("contracts-verify", [], { PROVIDER_BASE_URL: "" });
    expect(ran.out).toContain("the sandbox: this does not prove Baanx");
    expect(ran).toMatchObject({ code: 0, err: "" });
  });

  it("refuses production, and an unknown kind of evidence", async () => {
    const production = { PROVIDER_BASE_URL: "https://api.baanx.com" };
    const refused = await runHere("contracts-verify", [], production);
    const unknown = await runHere("contracts-verify", ["--only", "certain"]);
    expect(refused).toMatchObject({ code: 2, out: "", err: expect.stringContaining("--allow-production") });
    expect(unknown).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("--only takes documented"),
    });
  });
});

describe("npm run conformance", () => {
  it("passes a provider over TCP, and prints JSON for a pipeline", async () => {
    const { url, environment } = await start();
    const ran = await runHere("conformance", ["--base-url", url, "--json", "--probe-negative"], environment);
    const { failures, steps } = JSON.parse(ran.out);
    expect(failures).toEqual([]);
    expect(new Set(steps.map(({ outcome }: { outcome: string }) => outcome))).toEqual(new Set(["passed"]));
    expect(ran.code).toBe(0);
    expectNoSecret(ran, environment);
  });

  it("rejects one that forgets to end a session, with a table", async () => {
    const { url, environment } = await start("--forget-logout");
    const ran = await runHere("conformance", ["--base-url", url], environment);
    expect(ran.out).toMatch(
      /failed +documented +the token is refused with 401 at once +answered 200 instead of 401/,
    );
    expect(ran.code).toBe(1);
    expectNoSecret(ran, environment);
  });

  it("refuses production", async () => {
    const ran = await runHere("conformance", ["--base-url", "https://api.baanx.com"]);
    expect(ran).toMatchObject({ code: 2, out: "", err: expect.stringContaining("--allow-production") });
  });
});

describe("npm run contracts", () => {
  let folder: string;
  const file = "baanx-session-baanx-auth-api.json";

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "baanx-session-pacts-"));
    const text = await readFile(recordedPact, "utf8");
    await writeFile(join(folder, file), text.replace('"a logout"', '"another logout"'));
    await writeFile(join(folder, "of-another-time.json"), "{}");
  });

  afterEach(() => rm(folder, { recursive: true }));

  it("finds the committed bytes in a checkout with git's autocrlf", async () => {
    const [origin, clone] = [join(folder, "origin"), join(folder, "clone")];
    await mkdir(origin);
    const attributes = new URL("../.gitattributes", import.meta.url);
    await writeFile(join(origin, ".gitattributes"), await readFile(attributes));
    await writeFile(join(origin, file), await readFile(recordedPact));
    const git = (...args: string[]) =>
      execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], { cwd: origin });
    git("init", "--quiet");
    git("add", ".");
    git("commit", "--quiet", "--message", "The contract");
    git("clone", "--quiet", "--config", "core.autocrlf=true", origin, clone);
    expect(await readFile(join(clone, file))).toEqual(await readFile(recordedPact));
  });

  it("with --check fails if the file differs by a word, and does not change it", async () => {
    const before = await readFile(join(folder, file), "utf8");
    const ran = await runScript("contracts", ["--check", "--pacts", folder]);
    expect(ran.err).toContain(`${file} is out of date`);
    expect(ran.code).toBe(1);
    expect(await readFile(join(folder, file), "utf8")).toBe(before);
  });

  it("recreates the folder with the committed bytes", async () => {
    const ran = await runScript("contracts", ["--pacts", folder]);
    expect(ran.code).toBe(0);
    expect(await readdir(folder)).toEqual([file]);
    expect(await readFile(join(folder, file))).toEqual(await readFile(recordedPact));
  });
});
