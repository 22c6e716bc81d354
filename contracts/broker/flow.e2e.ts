/** From a consumer's commit to a provider's green build, and what follows a change: with a real broker, in this order. */
import { rm } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Independent, runScript, startIndependentProvider } from "../fixtures/run.ts";
import type { Ran } from "../process.ts";
import {
  as,
  changedContract,
  missingHere,
  openScene,
  type Scene,
  users,
  withBroker,
} from "./testing/scene.ts";

const reader = { authorization: `Basic ${Buffer.from("reader:readers-password").toString("base64")}` };

const missing = missingHere("contracts/broker/flow.e2e.ts");

describe.skipIf(missing)("from a commit to a release", () => {
  let scene: Scene;
  let provider: Independent | undefined;
  let changed: string;
  const other = "feature/other-words";

  beforeAll(async () => {
    scene = await openScene(users);
    changed = await changedContract("a logout, in other words");
  });

  afterAll(async () => {
    if (changed) await rm(changed, { recursive: true });
    await scene?.end();
  });

  // A run uses up the authorizations of a provider: the next one needs another.
  afterEach(async () => {
    await provider?.stop();
    provider = undefined;
  });

  const writer = () => withBroker(scene.broker, "writer");
  const publish = (...args: string[]) => runScript("contracts-publish", args, writer());
  const canIRelease = (...args: string[]) => runScript("contracts-can-i-release", args, writer());
  const verify = (environment: Record<string, string> = {}) =>
    runScript("contracts-verify", ["--from-broker"], { ...writer(), ...environment });
  async function verifyIndependent(version: string, { branch = "main", isBroken = false } = {}) {
    provider = await startIndependentProvider(...(isBroken ? ["--forget-logout"] : []));
    const { url, environment } = provider;
    const of = { PROVIDER_BASE_URL: url, PROVIDER_VERSION: version, PROVIDER_BRANCH: branch };
    return verify({ ...environment, ...of });
  }

  it("a contract is published", async () => {
    const ran = await publish(...as("c1"), "--build-url", "https://ci.example/1");
    expect(ran).toMatchObject({ code: 0, err: "", out: expect.stringMatching(/^Published .*version c1 /) });
  });

  it("to publish it again changes nothing", async () => {
    const ran = await publish(...as("c1"));
    expect(ran).toMatchObject({ code: 0, err: "", out: expect.stringMatching(/^Was published already/) });
  });

  it("it cannot be released before anybody has verified it", async () => {
    expect(await canIRelease("--version", "c1")).toMatchObject({
      code: 1,
      err: "contracts:can-i-release: No: No version of baanx-auth-api from the main branch exists\n",
    });
  });

  it("the gate of a release reports that, and does not block", async () => {
    const ran = await canIRelease("--version", "c1", "--gate");
    expect(ran).toMatchObject({ code: 0, out: expect.stringMatching(/^No: .*\nThis does not block: /m) });
  });

  it("the sandbox verifies it and publishes that, under a version that says whose result it is", async () => {
    const ran = await verify({ PROVIDER_VERSION: "r1", PROVIDER_BRANCH: "main" });
    expect(ran.out).toContain("10 passed, 0 failed, 0 pending, 0 skipped");
    expect(ran.out).toContain("Published: version reference-r1 of baanx-auth-api keeps this contract.");
    expect(ran).toMatchObject({ code: 0, err: "" });
  });

  it("then it can be released", async () => {
    const ran = await canIRelease("--version", "c1");
    expect(ran).toMatchObject({ code: 0, err: "", out: expect.stringContaining("Yes: version c1 of") });
  });

  it("badges say so", async () => {
    const badges = [
      ["/pacts/provider/baanx-auth-api/consumer/baanx-session/latest/badge.svg", "-verified-brightgreen"],
      ["/pacticipants/baanx-session/main-branch/can-i-merge/badge.svg", "can--i--merge-success-brightgreen"],
    ];
    for (const [path, word] of badges) {
      const answer = await fetch(`${scene.broker.url}${path}`, { headers: reader, redirect: "manual" });
      // To where it is drawn.
      expect(answer.status).toBe(307);
      expect(answer.headers.get("location")).toContain(word);
    }
  });

  it("its release is recorded", async () => {
    expect(await runScript("contracts-record-release", ["--version", "c1"], writer())).toMatchObject({
      code: 0,
      err: "",
    });
    expect(await released(scene)).toEqual(["c1"]);
  });

  it("a changed contract under the same version is refused", async () => {
    const ran = await publish(...as("c1"), "--pacts", changed);
    expect(ran).toMatchObject({
      code: 1,
      out: "",
      err: "contracts:publish: Version c1 is published already, with another content, and the broker does not change it: publish from a new commit, or give another --version.\n",
    });
  });

  it("under a new version and branch it is accepted", async () => {
    expect(await publish(...as("c2", other), "--pacts", changed)).toMatchObject({ code: 0, err: "" });
  });

  it("it is pending there: a provider that breaks it fails the contract and not its own build", async () => {
    const ran = await verifyIndependent("p1", { branch: other, isBroken: true });
    expect(sectionOf(ran, other)).toMatch(
      /\(pending: .*[\s\S]*version p1 of baanx-auth-api breaks this contract/,
    );
    expect(ran.err).not.toContain("not published");
  });

  it("and it cannot be released with that provider", async () => {
    const ran = await canIRelease("--version", "c2", "--provider-version", "p1");
    expect(ran).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^contracts:can-i-release: No: .*fail/),
    });
  });

  it("a provider that breaks what its main branch has verified fails its build", async () => {
    const ran = await verifyIndependent("p2", { isBroken: true });
    expect(ran.out).toContain("version p2 of baanx-auth-api breaks this contract");
    expect(ran).toMatchObject({
      code: 1,
      err: 'contracts:verify: "a read of the user after logout" failed.\n',
    });
  });

  it("then the released version cannot be released again, and the gate blocks", async () => {
    expect(await canIRelease("--version", "c1")).toMatchObject({ code: 1 });
    expect(await canIRelease("--version", "c1", "--gate")).toMatchObject({ code: 1 });
  });

  it("a provider that keeps it makes the answer yes again", async () => {
    expect(await verifyIndependent("p3")).toMatchObject({ code: 0, err: "" });
    expect(await canIRelease("--version", "c1", "--gate")).toMatchObject({ code: 0 });
  });

  it("the end of its support is recorded, and it counts as released no more", async () => {
    const ran = await runScript("contracts-record-release", ["--support-ended", "--version", "c1"], writer());
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(await released(scene)).toEqual([]);
  });
});

/** What a run says of the contract of a branch. */
function sectionOf({ out }: Ran, branch: string): string {
  return out.slice(out.indexOf(`latest from branch ${branch}`));
}

/** The versions of the consumer that the broker counts as released in production. */
async function released({ broker }: Scene): Promise<string[]> {
  const read = async (path: string) => (await fetch(`${broker.url}${path}`, { headers: reader })).json();
  const { _embedded } = await read("/environments");
  const [{ uuid }] = _embedded.environments;
  const found = await read(`/environments/${uuid}/released-versions/currently-supported`);
  return found._embedded.releasedVersions.map(
    (one: { _embedded: { version: { number: string } } }) => one._embedded.version.number,
  );
}
