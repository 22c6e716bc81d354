/** A changed contract becomes green before it is merged: as work in progress, and by a webhook. With a real broker, in this order. */
import { rm } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { runScript, startIndependentProvider } from "../fixtures/run.ts";
import type { Ran } from "../process.ts";
import { listen, type Told } from "./testing/listener.ts";
import {
  as,
  changedContract,
  missingHere,
  openScene,
  readBroker,
  runPact,
  type Scene,
  withBroker,
} from "./testing/scene.ts";

const missing = missingHere("contracts/broker/changes.e2e.ts");

describe.skipIf(missing)("a changed contract", () => {
  let scene: Scene;
  const folders: string[] = [];
  const begun: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    scene = await openScene();
  });

  afterEach(async () => {
    for (const one of begun.splice(0)) await one.close();
  });

  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true });
    await scene?.end();
  });

  const here = () => withBroker(scene.broker);
  const canIRelease = (...args: string[]) => runScript("contracts-can-i-release", args, here());
  async function publishChanged(version: string, branch: string) {
    const folder = await changedContract(`a logout of ${branch}`);
    folders.push(folder);
    return runScript("contracts-publish", [...as(version, branch), "--pacts", folder], here());
  }
  /** A build of the provider: each has an instance of its own. */
  async function build(args: string[], version: string, branch: string, ...faults: string[]): Promise<Ran> {
    const { url, environment, stop } = await startIndependentProvider(...faults);
    const of = { PROVIDER_BASE_URL: url, PROVIDER_VERSION: version, PROVIDER_BRANCH: branch };
    return runScript("contracts-verify", args, { ...here(), ...environment, ...of }).finally(stop);
  }

  it("needs a broker that knows the main branches, and is told what is missing", async () => {
    const ran = await runScript("broker", ["setup", "--main-branch", "trunk"], here());
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(ran.out.match(/^(Registered .* the main branch trunk|Missing: .*`np\w )/gm)).toHaveLength(3);
    expect(await readBroker(scene, "/pacticipants/baanx-session")).toMatchObject({ mainBranch: "trunk" });
    const of = ["--name", "baanx-auth-api", "--main-branch", "release"];
    expect(await runPact(["broker", "create-or-update-pacticipant", ...of], here())).toMatchObject({
      code: 0,
    });
  });

  it("comes after one that main has published, and the provider's main branch has verified", async () => {
    expect(await runScript("contracts-publish", as("c1", "trunk"), here())).toMatchObject({
      code: 0,
      err: "",
    });
    const ran = await build(["--from-broker"], "p1", "release");
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(ran.out).toContain("Results are published as version p1 of baanx-auth-api, branch release");
    expect(await canIRelease("--version", "c1")).toMatchObject({ code: 0 });
  });

  it("of a branch is work in progress for the provider's next build, which makes it green", async () => {
    expect(await publishChanged("c2", "feature/green")).toMatchObject({ code: 0, err: "" });
    expect(await canIRelease("--version", "c2", "--gate")).toMatchObject({ code: 1 });
    const ran = await build(["--from-broker"], "p2", "release");
    expect(ran.out).toContain("feature/green, work in progress (pending: informs");
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(await canIRelease("--version", "c2", "--gate")).toMatchObject({ code: 0, err: "" });
  });

  it("is green without another build of the provider, by a webhook that somebody waits for", async () => {
    const told: Told[] = [];
    const builds: Promise<Ran>[] = [];
    const ci = await listen((one) => {
      told.push(one);
      builds.push(build(["--pact", one.payload.pact_url], one.payload.sha, one.payload.branch));
    });
    begun.push(ci);
    const webhook = (...args: string[]) =>
      runScript("broker", ["webhook", "--url", ci.url, ...args], {
        ...here(),
        WEBHOOK_AUTHORIZATION: "Bearer of-the-ci",
      });
    const shown = await webhook();
    expect(shown).toMatchObject({
      code: 0,
      err: "",
      out: expect.stringContaining('"authorization": "[secret]"'),
    });
    expect(await webhook("--create")).toMatchObject({ code: 0, err: "" });
    expect(await webhook("--create")).toMatchObject({ code: 0, err: "" });
    const { _links } = await readBroker(scene, "/webhooks");
    expect(_links["pb:webhooks"]).toHaveLength(1);
    const setUp = await runScript("broker", ["setup", "--main-branch", "trunk"], here());
    expect(setUp.out).toContain("Nothing is missing.");

    expect(await publishChanged("c3", "feature/hooked")).toMatchObject({ code: 0, err: "" });
    const ran = await canIRelease("--version", "c3", "--gate", "--wait", "60");
    expect(ran).toMatchObject({ code: 0, err: "", out: expect.stringContaining("Yes: version c3 of") });
    expect(told).toMatchObject([
      { authorization: "Bearer of-the-ci", payload: { sha: "p2", branch: "release" } },
    ]);
    expect(await Promise.all(builds)).toMatchObject([{ code: 0, err: "" }]);
  });

  it("that nobody verifies is waited for no longer than was asked", async () => {
    expect(await publishChanged("c4", "feature/forgotten")).toMatchObject({ code: 0 });
    const ran = await canIRelease("--version", "c4", "--wait", "5");
    expect(ran).toMatchObject({ code: 1, err: expect.stringMatching(/^contracts:can-i-release: No: .*\n$/) });
  });

  it("that the provider breaks is shown with the place, in the run and at the broker", async () => {
    expect(await publishChanged("c5", "feature/red")).toMatchObject({ code: 0 });
    const { _links } = await readBroker(
      scene,
      "/pacts/provider/baanx-auth-api/consumer/baanx-session/version/c5",
    );
    const ran = await build(["--pact", _links.self.href], "p3", "feature/red", "--text-success");
    const said = 'expected true (Boolean), was "true" (String)';
    expect(ran.out).toContain(`$.success: ${said}`);
    expect(ran.code).toBe(1);

    const pact = await readBroker(scene, "/pacts/provider/baanx-auth-api/consumer/baanx-session/version/c5");
    const results = await readBroker(
      scene,
      new URL(pact._links["pb:latest-verification-results"].href).pathname,
    );
    expect(results).toMatchObject({ success: false, providerApplicationVersion: "p3" });
    const ids = pact.interactions.map(({ _id }: { _id: string }) => _id);
    expect(
      results.testResults.map(({ interactionId }: { interactionId: string }) => interactionId).sort(),
    ).toEqual(ids.sort());
    expect(results.testResults).toContainEqual({
      interactionId: expect.any(String),
      interactionDescription: "a logout of feature/red",
      success: false,
      mismatches: [{ attribute: "body", identifier: "$.success", description: said }],
    });
  });
});
