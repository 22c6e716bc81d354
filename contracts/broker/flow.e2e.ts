/** The flow from a consumer's commit to a provider's green build, and after a change. Real broker; order matters. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer } from "../../src/sandbox/server.ts";
import type { Ran } from "../process.ts";
import { as, missingHere, openScene, readBroker, runPact, type Scene, withBroker } from "./testing/scene.ts";

const missing = missingHere("contracts/broker/flow.e2e.ts");
const pactOf = "/pacts/provider/baanx-auth-api/consumer/baanx-session";

describe.skipIf(missing)("from a commit to a release", () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await openScene();
  });
  afterAll(() => scene?.end());

  const publish = (...args: string[]) => scene.run("contracts-publish", args);
  const canIRelease = (...args: string[]) => scene.run("contracts-can-i-release", args);
  const verify = (...args: string[]) =>
    scene.run("contracts-verify", ["--from-broker"], {
      PROVIDER_VERSION: args[0] ?? "",
      PROVIDER_BRANCH: args[1] ?? "",
    });
  const pact = (...args: string[]) => runPact(["broker", ...args], withBroker(scene.broker));
  const success = { code: 0, err: "" };
  const said = (no: string | RegExp) => ({ code: 1, err: expect.stringMatching(no) });

  it("registers both sides with their main branches, by Pact's command line", async () => {
    for (const name of ["baanx-session", "baanx-auth-api"]) {
      const ran = await pact("create-or-update-pacticipant", "--name", name, "--main-branch", "trunk");
      expect(ran.code).toBe(0);
    }
    expect(await readBroker(scene, "/pacticipants/baanx-session")).toMatchObject({ mainBranch: "trunk" });
  });

  it("publishes a contract, and again without a change", async () => {
    const ran = await publish(...as("c1", "origin/trunk"), "--build-url", "https://ci.example/1");
    const out = expect.stringMatching(/^Published .*version c1 .*, branch trunk,/);
    expect(ran).toMatchObject({ ...success, out });
    const again = await publish(...as("c1", "trunk"));
    expect(again).toMatchObject({ ...success, out: expect.stringMatching(/^Was published already/) });
  });

  it.each(["feature/größe", "feat/a=b", "fix(x)", "a,b"])("publishes from the branch %s", async (branch) => {
    expect(await publish(...as(`of ${branch}`, branch))).toMatchObject(success);
    const { _embedded } = await readBroker(scene, "/pacticipants/baanx-session/branches");
    expect(_embedded.branches.map(({ name }: { name: string }) => name)).toContain(branch);
  });

  it("refuses a release before the provider has verified it; the gate reports this and does not block", async () => {
    const no = "No version of baanx-auth-api from the main branch exists";
    expect(await canIRelease("--version", "c1")).toMatchObject(said(`: No: ${no}\n`));
    const gate = await canIRelease("--version", "c1", "--gate", "--wait", "600");
    expect(gate).toMatchObject({ code: 0, out: expect.stringMatching(/^No: .*\nThis does not block: /) });
  });

  it("publishes a verification by the sandbox under a version that names the sandbox", async () => {
    const ran = await verify("r1", "trunk");
    expect(ran).toMatchObject(success);
    expect(ran.out).toContain("version reference-r1 of baanx-auth-api, branch trunk");
    expect(ran.out).toMatch(/is being verified because .*\n +\* .*'trunk'/);
    expect(ran.out).toMatch(/\d+0 passed, 0 failed, 0 unready, 0 pending, 0 skipped\nPublished: \d+ results/);
    const yes = await canIRelease("--version", "c1");
    expect(yes).toMatchObject({ ...success, out: expect.stringContaining("Yes: version c1 of") });
  });

  it("shows the result as badges", async () => {
    for (const [path, word] of [
      [`${pactOf}/latest/badge.svg`, "-verified-brightgreen"],
      ["/pacticipants/baanx-session/main-branch/can-i-merge/badge.svg", "can--i--merge-success-brightgreen"],
    ]) {
      const headers = { authorization: `Basic ${btoa("reader:readers-password")}` };
      const answer = await fetch(scene.broker.url + path, { headers, redirect: "manual" });
      expect(answer.headers.get("location")).toContain(word);
    }
  });

  it("refuses another contract under the same version", async () => {
    const ran = await scene.publishChanged("a logout, in other words", "c1", "trunk");
    expect(ran).toMatchObject(said(/^contracts:publish: Version c1 is published already, with another/));
  });

  it("does not block by the gate after a verification of a provider's spike branch", async () => {
    expect(await scene.publishChanged("a logout, in other words", "c2", "feature/words")).toMatchObject({
      code: 0,
      err: "",
    });
    const spike = await scene.build(["--from-broker"], "s1", "spike", "--forget-logout");
    // The contract of the branch is pending. The main branch has verified the other one.
    expect(spike.out).toMatch(/^✗ a read of the user after logout: .*\n {2}pending: /m);
    expect(spike).toMatchObject(said(/^contracts:verify: "a read of the user after logout" failed\.\n$/));
    expect(await canIRelease("--version", "c2", "--provider-version", "s1")).toMatchObject(
      said(/No: .*fail/),
    );
    const gate = await canIRelease("--version", "c2", "--gate");
    expect(gate).toMatchObject({ code: 0, out: expect.stringContaining("This does not block: ") });
  });

  it("verifies the contract of a branch as work in progress in the provider's next build", async () => {
    const ran = await scene.build(["--from-broker"], "p1", "trunk");
    expect(ran.out).toContain("'work in progress' pact");
    expect(ran).toMatchObject(success);
    expect(await canIRelease("--version", "c2", "--gate")).toMatchObject(success);
  });

  it("fails the build of a provider that breaks what its main branch has verified, and the gate blocks", async () => {
    const ran = await scene.build(["--from-broker"], "p2", "trunk", "--text-success");
    expect(ran.out).toContain("✗ a logout: $.success: ");
    expect(ran).toMatchObject(said(/^contracts:verify: "a logout" failed\.\n/));
    expect(await canIRelease("--version", "c1", "--gate")).toMatchObject(said(/: No: .*fail/));
    const { _links } = await readBroker(scene, `${pactOf}/version/c1`);
    const results = await readBroker(scene, new URL(_links["pb:latest-verification-results"].href).pathname);
    expect(results).toMatchObject({ success: false, providerApplicationVersion: "p2" });
    expect(JSON.stringify(results.testResults)).toContain("$.success");
    expect(await scene.build(["--from-broker"], "p3", "trunk")).toMatchObject(success);
    expect(await canIRelease("--version", "c1", "--gate")).toMatchObject({ code: 0 });
  });

  it("waits for the verification that a webhook starts", async () => {
    const requests: unknown[] = [];
    const builds: Promise<Ran>[] = [];
    const ci = await startServer({
      app: {
        async fetch(request) {
          const { client_payload: payload } = await request.json();
          requests.push({ authorization: request.headers.get("authorization"), payload });
          // Not awaited: a build takes longer than a broker waits.
          builds.push(scene.build(["--pact", payload.pact_url], payload.sha, payload.branch));
          return new Response(null, { status: 204 });
        },
      },
    });
    const body = {
      event_type: "contract_requiring_verification_published",
      client_payload: {
        pact_url: `\${pactbroker.pactUrl}`,
        sha: `\${pactbroker.providerVersionNumber}`,
        branch: `\${pactbroker.providerVersionBranch}`,
      },
    };
    const webhook = [
      ...["--uuid", "5d9b3b3c-5a4f-4f7e-9d0c-1f2e3d4c5b6a", "--provider", "baanx-auth-api"],
      ...["--request", "POST", `${ci.url}/dispatches`],
      ...["--header", "Content-Type: application/json", "Authorization: Bearer of-the-ci"],
      ...["--data", JSON.stringify(body), "--contract-requiring-verification-published"],
    ];
    for (let twice = 0; twice < 2; twice++)
      expect(await pact("create-or-update-webhook", ...webhook)).toMatchObject({ code: 0 });
    const { _links } = await readBroker(scene, "/webhooks");
    expect(_links["pb:webhooks"]).toHaveLength(1);

    expect(await scene.publishChanged("a logout, hooked", "c3", "feature/hooked")).toMatchObject({ code: 0 });
    const ran = await canIRelease("--version", "c3", "--gate", "--wait", "60");
    expect(ran).toMatchObject({ ...success, out: expect.stringContaining("Yes: version c3 of") });
    expect(requests).toMatchObject([
      { authorization: "Bearer of-the-ci", payload: { sha: "p3", branch: "trunk" } },
    ]);
    expect(await Promise.all(builds)).toMatchObject([success]);
    await ci.close();
  });

  it("waits the given time for a verification that never arrives, and refuses the release", async () => {
    expect(await scene.publishChanged("a logout, forgotten", "c4", "feature/forgotten")).toMatchObject({
      code: 0,
    });
    const ran = await canIRelease("--version", "c4", "--wait", "6");
    expect(ran).toMatchObject(said(/^contracts:can-i-release: No: .*\n$/));
  });

  it("publishes no result of a contract if one of its states failed", async () => {
    const { href } = (await readBroker(scene, `${pactOf}/version/c4`))._links.self;
    const of = { PROVIDER_BASE_URL: "http://127.0.0.1:1", PROVIDER_VERSION: "p4", PROVIDER_BRANCH: "trunk" };
    const ran = await scene.run("contracts-verify", ["--pact", href], of);
    expect(ran).toMatchObject(
      said(/^contracts:verify: Nothing was published of this contract: .*: BAANX_CLIENT_KEY is not set\.\n$/),
    );
    await expect(readBroker(scene, "/pacticipants/baanx-auth-api/versions/p4")).rejects.toThrow("404");
  });

  it("fails a verification if the broker rejects its results", async () => {
    const provider = { PROVIDER_BRANCH: "trunk", PROVIDER_VERSION: "r2" };
    const reader = { ...withBroker(scene.broker, "reader"), ...provider };
    const ran = await scene.run("contracts-verify", ["--from-broker"], reader);
    expect(ran).toMatchObject(said(/The result was not published: the broker holds 0 of \d+ results\.\n$/));
  });

  it("records a release and the end of its support, by Pact's command line", async () => {
    const of = ["--pacticipant", "baanx-session", "--version", "c1", "--environment", "production"];
    const { _embedded } = await readBroker(scene, "/environments");
    const path = `/environments/${_embedded.environments[0].uuid}/released-versions/currently-supported`;
    const released = async () => (await readBroker(scene, path))._embedded.releasedVersions;
    expect(await pact("record-release", ...of)).toMatchObject({ code: 0 });
    expect(await released()).toHaveLength(1);
    expect(await pact("record-support-ended", ...of)).toMatchObject({ code: 0 });
    expect(await released()).toEqual([]);
  });
});
