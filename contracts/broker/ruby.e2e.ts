/** A provider that is not JavaScript, verified by Pact's standalone verifier: from the file, and from a real broker. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { runScript } from "../fixtures/run.ts";
import { recordedPact } from "../pact-file.ts";
import type { Ran } from "../process.ts";
import { as, missingHere, openScene, readBroker, runPact, type Scene, withBroker } from "./testing/scene.ts";

const missing = missingHere("contracts/broker/ruby.e2e.ts");
const file = fileURLToPath(new URL("../fixtures/provider.rb", import.meta.url));

describe.skipIf(missing)("a provider in Ruby", () => {
  let scene: Scene;
  let child: ChildProcess | undefined;

  beforeAll(async () => {
    scene = await openScene();
    await runScript("broker", ["setup", "--main-branch", "main"], withBroker(scene.broker));
    await runScript("contracts-publish", as("c1"), withBroker(scene.broker));
  });

  afterEach(async () => {
    if (!child) return;
    const exit = once(child, "exit");
    child.stdin?.end();
    await exit;
    child = undefined;
  });

  afterAll(() => scene?.end());

  /** `npx pact verifier`, as the README has it, against a new instance. */
  async function verify(args: string[], ...faults: string[]): Promise<Ran> {
    const started = spawn("ruby", [file, ...faults], { stdio: ["pipe", "pipe", "inherit"] });
    child = started;
    const [port] = await once(createInterface(started.stdout), "line");
    const states = ["--state-change-url", `http://127.0.0.1:${port}/_pact/state`];
    const of = ["verifier", ...args, "--hostname", "127.0.0.1", "--port", port, ...states, "--no-colour"];
    // With the address of a broker in the environment, it takes no file.
    return runPact(of, args.includes("--file") ? {} : withBroker(scene.broker));
  }

  const selectors = [{ mainBranch: true }, { matchingBranch: true }, { deployedOrReleased: true }].flatMap(
    (one) => ["--consumer-version-selectors", JSON.stringify(one)],
  );
  const fromBroker = (version: string) => [
    ...[
      "--broker-url",
      scene.broker.url,
      "--provider-name",
      "baanx-auth-api",
      ...selectors,
      "--enable-pending",
    ],
    ...["--include-wip-pacts-since", "2020-01-01"],
    ...["--provider-branch", "main", "--provider-version", version, "--publish"],
  ];
  const canIRelease = () =>
    runScript("contracts-can-i-release", ["--version", "c1"], withBroker(scene.broker));

  it("is verified from the file", async () => {
    const ran = await verify(["--file", recordedPact]);
    expect(ran.out).toContain("a second revocation");
    expect(ran.out).not.toContain("FAILED");
    expect(ran.code).toBe(0);
  });

  it("is rejected from the file when it forgets to end a session", async () => {
    const ran = await verify(["--file", recordedPact], "--forget-logout");
    expect(ran.out).toContain("expected 401 but was 200");
    expect(ran.code).toBe(1);
  });

  it("is verified from a broker, which then says yes", async () => {
    expect(await canIRelease()).toMatchObject({ code: 1 });
    expect(await verify(fromBroker("r1"))).toMatchObject({ code: 0 });
    expect(await canIRelease()).toMatchObject({ code: 0, err: "" });
  });

  it("asks whether it can be deployed, and records that it was", async () => {
    const of = ["--pacticipant", "baanx-auth-api", "--version", "r1"];
    const [asked, recorded] = [
      await runPact(
        ["broker", "can-i-deploy", ...of, "--to-environment", "production"],
        withBroker(scene.broker),
      ),
      await runPact(
        ["broker", "record-deployment", ...of, "--environment", "production"],
        withBroker(scene.broker),
      ),
    ];
    expect(asked).toMatchObject({ code: 0 });
    expect(recorded).toMatchObject({ code: 0 });
    const there = ["--version", "c1", "--environment", "production"];
    expect(await runScript("contracts-can-i-release", there, withBroker(scene.broker))).toMatchObject({
      code: 0,
    });
  });

  it("is verified by the address that a webhook names", async () => {
    const { _links } = await readBroker(
      scene,
      "/pacts/provider/baanx-auth-api/consumer/baanx-session/version/c1",
    );
    const of = ["--provider-branch", "main", "--provider-version", "r2", "--publish"];
    const ran = await verify(["--url", _links.self.href, "--provider-name", "baanx-auth-api", ...of]);
    expect(ran.code).toBe(0);
    expect(await canIRelease()).toMatchObject({ code: 0 });
  });

  it("that breaks the contract is a no", async () => {
    expect(await verify(fromBroker("r3"), "--forget-logout")).toMatchObject({ code: 1 });
    expect(await canIRelease()).toMatchObject({ code: 1, err: expect.stringMatching(/: No: .*fail/) });
  });
});
