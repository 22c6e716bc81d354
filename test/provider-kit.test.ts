/**
 * The kit for a provider's team: a provider of fifty lines, written by the shipped README, passes `baanx-session verify`
 * and Pact's own command. Each fault in it is one readable line. `package.test.ts` verifies it from npm.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import { collect } from "../contracts/process.ts";
import { useCli } from "./cli-support.ts";

const cli = useCli();
const root = resolve(import.meta.dirname, "..");
const provider = join(root, "contracts", "fixtures", "provider.mjs");

async function start(fault = "none"): Promise<string> {
  const child = spawn(process.execPath, [provider, "--fault", fault], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(async () => {
    const exit = once(child, "exit");
    child.stdin.end();
    await exit;
  });
  const [url] = await once(createInterface(child.stdout), "line");
  return url;
}

const verify = (url: string, stateUrl = `${url}/_pact/state`) =>
  cli.run(["verify", "--provider-url", url, "--state-url", stateUrl]);

it("has a provider of at most fifty lines", async () => {
  const text = await readFile(provider, "utf8");
  expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(50);
});

it("passes a correct provider with Pact's own command and the file that the package exports", async () => {
  const url = await start();
  const { exports } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const args = ["verifier", "--file", join(root, exports["./pact.json"]), "--hostname", "127.0.0.1"];
  const states = ["--port", new URL(url).port, "--state-change-url", `${url}/_pact/state`, "--no-colour"];
  const pact = spawn(join(root, "node_modules", ".bin", "pact"), [...args, ...states], {
    env: { ...process.env, PACT_DO_NOT_TRACK: "true" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { code, out } = await collect(pact);
  expect(code).toBe(0);
  expect(out).toContain("a second revocation");
  expect(out).not.toContain("FAILED");
});

describe("a fault is one readable line:", () => {
  const afterEnd = "a read of the user after logout; a read of the user after revocation";
  const both = "a session that was logged out; an OAuth authorization that was revoked";
  it.each([
    ["dead-token-lives", `✗ ${afterEnd}: status: expected 401 but was 200`],
    [
      "text-success",
      "✗ a logout; a revocation: $.success: Expected 'true' (String) to be equal to true (Boolean)",
    ],
    [
      "number-id",
      "✗ a read of the user; a read of the user in the US region: $.id: Expected 7 (Integer) to be the same type as ",
    ],
    ["state-without-key", `✗ not brought about: ${both}: the state endpoint returned no clientKey`],
    ["state-500", "✗ not brought about: an active session; "],
  ])("%s", async (fault, says) => {
    const { code, err, out } = await verify(await start(fault));
    expect({ code, err }).toEqual({ code: 1, err: "" });
    const lines = out.split("\n").filter((line) => line.startsWith("✗"));
    expect(lines).toEqual([expect.stringContaining(says)]);
    if (fault === "state-500") expect(lines[0]).toContain(": the state endpoint answered 500");
  });

  it("a provider that does not run", async () => {
    const url = await start();
    const { code, out } = await verify("http://127.0.0.1:1", `${url}/_pact/state`);
    expect(code).toBe(1);
    expect(out.split("\n").filter((line) => line.startsWith("✗"))).toHaveLength(1);
    expect(out).toMatch(/^✗ a logout; .*: no answer$/m);
  });
});

it.each([
  [[], "verify needs --provider-url"],
  [["--provider-url", "ftp://127.0.0.1"], "--provider-url takes an address"],
  [["--provider-url", "http://a:secret@127.0.0.1"], "without credentials"],
  [["--provider-url", "http://127.0.0.1:1"], "verify needs --state-url"],
  [
    ["--provider-url", "http://127.0.0.1:1", "--state-url", "http://127.0.0.1:1", "--pact", "none.json"],
    "--pact takes a pact file",
  ],
])("refuses wrong usage in one line: %j", async (args, says) => {
  const ran = await cli.run(["verify", ...args]);
  expect(ran).toMatchObject({ code: 2, out: "", err: expect.stringMatching(/^[^\n]+\n$/) });
  expect(ran.err).toContain(says);
  expect(ran.err).not.toContain("secret");
});
