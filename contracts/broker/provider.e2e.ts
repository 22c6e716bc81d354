/** The provider's side of contracts/README.md, with Pact's own command line only: with a real broker, in this order. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startProvider } from "../fixtures/run.ts";
import { missingHere, openScene, readBroker, runPact, type Scene, withBroker } from "./testing/scene.ts";

const missing = missingHere("contracts/broker/provider.e2e.ts");

describe.skipIf(missing)("a provider that is written by the README", () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await openScene();
    for (const version of ["c1", "c2"])
      await scene.publishChanged(`a logout of ${version}`, version, version === "c1" ? "main" : "other");
  });
  afterAll(() => scene?.end());

  const pact = (args: string[]) => runPact(args, withBroker(scene.broker));
  const canIRelease = (version: string) => scene.run("contracts-can-i-release", ["--version", version]);

  async function verify(version: string, which: string[], fault = "none") {
    const { line: url, stop } = await startProvider("provider.mjs", ["--fault", fault]);
    const verified = pact([
      ...["verifier", "--broker-url", scene.broker.url, "--provider-name", "baanx-auth-api", ...which],
      ...["--provider-branch", "main", "--provider-version", version, "--publish", "--no-colour"],
      ...["--hostname", "127.0.0.1", "--port", new URL(url).port],
      ...["--state-change-url", `${url}/_pact/state`],
    ]);
    return verified.finally(stop);
  }
  const selected = [
    ...["mainBranch", "matchingBranch", "deployedOrReleased"].flatMap((kind) => [
      "--consumer-version-selectors",
      JSON.stringify({ [kind]: true }),
    ]),
    ...["--enable-pending", "--include-wip-pacts-since", "2020-01-01"],
  ];

  it("verifies the one contract that a webhook names, and no other", async () => {
    const path = "/pacts/provider/baanx-auth-api/consumer/baanx-session/version/c1";
    const { href } = (await readBroker(scene, path))._links.self;
    expect(await verify("p1", ["--webhook-callback-url", href])).toMatchObject({ code: 0 });
    expect(await canIRelease("c1")).toMatchObject({ code: 0, err: "" });
    expect(await canIRelease("c2")).toMatchObject({ code: 1 });
  });

  it("verifies the contracts that the broker selects, including work in progress", async () => {
    expect(await verify("p2", selected)).toMatchObject({ code: 0 });
    expect(await canIRelease("c2")).toMatchObject({ code: 0, err: "" });
  });

  it("asks whether it can be deployed, and records the deployment", async () => {
    const of = ["--pacticipant", "baanx-auth-api", "--version", "p2"];
    const deployable = await pact(["broker", "can-i-deploy", ...of, "--to-environment", "production"]);
    const recorded = await pact(["broker", "record-deployment", ...of, "--environment", "production"]);
    expect([deployable.code, recorded.code]).toEqual([0, 0]);
    const there = ["--version", "c1", "--environment", "production"];
    expect(await scene.run("contracts-can-i-release", there)).toMatchObject({ code: 0 });
  });

  it("cannot be deployed after it breaks the contract", async () => {
    expect(await verify("p3", selected, "dead-token-lives")).toMatchObject({ code: 1 });
    expect(await canIRelease("c1")).toMatchObject({ code: 1, err: expect.stringMatching(/: No: .*fail/) });
  });
});
