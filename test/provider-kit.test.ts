/**
 * The kit for a provider's team from npm. A provider of fifty lines, written by the shipped README, passes
 * `baanx-session verify` and Pact's own command. Each fault in it is one readable line.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { collect } from "../contracts/process.ts";
import { root, usePackage } from "./package-support.ts";

// Builds, packs and installs.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const installed = usePackage();
let home: string;
let running: ChildProcess | undefined;

beforeAll(async () => {
  home = await installed.project();
  // The team would also install this.
  const scope = join(home, "node_modules", "@pact-foundation");
  await mkdir(scope, { recursive: true });
  await symlink(join(root, "node_modules", "@pact-foundation", "pact-cli"), join(scope, "pact-cli"));
  const pact = join(root, "node_modules", ".bin", "pact");
  await symlink(pact, join(home, "node_modules", ".bin", "pact"));
});

afterEach(async () => {
  if (!running) return;
  const exit = once(running, "exit");
  running.stdin?.end();
  await exit;
  running = undefined;
});

const kit = (file: string) => join(home, "node_modules", "baanx-session", file);

async function start(fault = "none"): Promise<string> {
  const child = spawn(process.execPath, [kit("contracts/fixtures/provider.mjs"), "--fault", fault], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  running = child;
  const [url] = await once(createInterface(child.stdout), "line");
  return url;
}

const { PATH = "", HOME = "" } = process.env;
const npx = (args: string[]) =>
  collect(
    spawn("npx", ["--no", "--", ...args], {
      cwd: home,
      env: { PATH, HOME, PACT_DO_NOT_TRACK: "true" },
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
const verify = (url: string, stateUrl = `${url}/_pact/state`) =>
  npx(["baanx-session", "verify", "--provider-url", url, "--state-url", stateUrl]);

it("has a provider of at most fifty lines", async () => {
  const text = await readFile(kit("contracts/fixtures/provider.mjs"), "utf8");
  expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(50);
});

describe("a correct provider passes", () => {
  it("npx --no -- baanx-session verify", async () => {
    const ran = await verify(await start());
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(ran.out).toContain("10 passed, 0 failed, 0 unready, 0 pending, 0 skipped");
    expect(ran.out).not.toMatch(/token-|key-/);
  });

  it("npx pact verifier, with the file that the package exports", async () => {
    const url = await start();
    const { port } = new URL(url);
    const states = ["--state-change-url", `${url}/_pact/state`, "--no-colour"];
    const { exports } = JSON.parse(await readFile(kit("package.json"), "utf8"));
    const file = kit(exports["./pact.json"]);
    const ran = await npx([
      "pact",
      "verifier",
      "--file",
      file,
      "--hostname",
      "127.0.0.1",
      "--port",
      port,
      ...states,
    ]);
    expect(ran.code).toBe(0);
    expect(ran.out).toContain("a second revocation");
    expect(ran.out).not.toContain("FAILED");
  });
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
  const ran = await npx(["baanx-session", "verify", ...args]);
  expect(ran).toMatchObject({ code: 2, out: "", err: expect.stringMatching(/^[^\n]+\n$/) });
  expect(ran.err).toContain(says);
  expect(ran.err).not.toContain("secret");
});
