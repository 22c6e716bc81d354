/** What a broker holds outlasts a crowd and a crash: read back from its API, contract by contract. */
import { watch } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runScript } from "../fixtures/run.ts";
import { as, changedContract, missingHere, openScene, type Scene, withBroker } from "./testing/scene.ts";

const missing = missingHere("contracts/broker/many.e2e.ts");

interface Contract {
  version: string;
  branch: string;
  folder: string;
}

describe.skipIf(missing)("a broker that many publish to", () => {
  let scene: Scene;
  let contracts: Contract[] = [];

  beforeAll(async () => {
    scene = await openScene();
    contracts = await Promise.all(
      Array.from({ length: 21 }, async (_, index) => ({
        version: `c${index}`,
        branch: `feature/${index}`,
        folder: await changedContract(`a logout of branch ${index}`),
      })),
    );
  });

  afterAll(async () => {
    await Promise.all(contracts.map(({ folder }) => rm(folder, { recursive: true })));
    await scene?.end();
  });

  const publish = ({ version, branch, folder }: Contract) =>
    runScript("contracts-publish", [...as(version, branch), "--pacts", folder], withBroker(scene.broker));

  it("loses none of twenty contracts that are published at once from different branches", async () => {
    const twenty = contracts.slice(0, 20);
    const runs = await Promise.all(twenty.map(publish));
    expect(runs.filter(({ code }) => code !== 0)).toEqual([]);
    expect(await branchesOf(scene)).toEqual(new Map(twenty.map(({ branch, version }) => [branch, version])));
    for (const contract of twenty) await expectHeld(scene, contract);
  });

  it("that is killed in the middle of a publication misses nothing that was published before", async () => {
    const [interrupted] = contracts.slice(20);
    if (!interrupted) throw new Error("There is no contract left.");
    const killed = killAtFirstWrite(scene);
    const ran = await publish(interrupted);
    await killed;
    expect(ran).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/^contracts:publish: .+\n$/) });

    await scene.restart();
    for (const contract of contracts.slice(0, 20)) await expectHeld(scene, contract);
    expect(await publish(interrupted)).toMatchObject({ code: 0, err: "" });
    await expectHeld(scene, interrupted);
  });
});

/** SQLite writes its journal before a change: then the broker is at it, and has answered nobody. */
function killAtFirstWrite({ folder, broker }: Scene): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher = watch(folder, (_, name) => {
      if (!name?.endsWith("-journal")) return;
      watcher.close();
      broker.kill().then(resolve, reject);
    });
  });
}

async function read(scene: Scene, path: string) {
  const response = await fetch(`${scene.broker.url}${path}`);
  expect(`${path} ${response.status}`).toBe(`${path} 200`);
  return response.json();
}

async function branchesOf(scene: Scene): Promise<Map<string, string>> {
  const { _embedded } = await read(scene, "/pacticipants/baanx-session/branches?pageSize=100");
  const branches: { name: string }[] = _embedded.branches;
  const versions = branches.map(async ({ name }) => {
    const path = `/pacticipants/baanx-session/branches/${encodeURIComponent(name)}/versions?pageSize=10`;
    const found: { number: string }[] = (await read(scene, path))._embedded.versions;
    return [name, found.map(({ number }) => number).join(", ")] as const;
  });
  return new Map(await Promise.all(versions));
}

/** The interactions that were published under this version, and no others. */
async function expectHeld(scene: Scene, { version, folder }: Contract): Promise<void> {
  const path = `/pacts/provider/baanx-auth-api/consumer/baanx-session/version/${version}`;
  const held = await read(scene, path);
  const sent = JSON.parse(await readFile(join(folder, "changed.json"), "utf8"));
  const names = ({ interactions }: { interactions: { description: string }[] }) =>
    interactions.map(({ description }) => description).sort();
  expect(names(held)).toEqual(names(sent));
}
