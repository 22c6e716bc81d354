/** Failures in a pipeline, with a real broker: each is one line that names the fix, and an exit code. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startServer } from "../../src/sandbox/server.ts";
import { runScript, startScript } from "../fixtures/run.ts";
import { as, missingHere, openScene, type Scene, withBroker } from "./testing/scene.ts";

const missing = missingHere("contracts/broker/failures.e2e.ts");

describe.skipIf(missing)("a command", () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await openScene();
    await scene.run("contracts-publish", as("c1"));
  });
  afterAll(() => scene?.end());

  it.each(["stranger", "reader"] as const)(
    "cannot publish as the %s, and does not show the password",
    async (user) => {
      const ran = await runScript("contracts-publish", as("c2"), withBroker(scene.broker, user));
      const err = expect.stringMatching(
        /^contracts:publish: The broker at .* not accept the credentials, .*40[13].*\n$/,
      );
      expect(ran).toEqual({ code: 1, out: "", err });
    },
  );

  it("names the variables for credentials if none are set", async () => {
    const bare = { PACT_BROKER_BASE_URL: scene.broker.url };
    const ran = await runScript("contracts-can-i-release", ["--version", "c1"], bare);
    const err = expect.stringContaining("set PACT_BROKER_TOKEN, or");
    expect(ran).toMatchObject({ code: 1, out: "", err });
  });

  it.each([
    ["--version c1 --provider-version p9", "for version p9 of baanx-auth-api"],
    ["--version c9", "No: "],
    ["--version c1 --environment nowhere", "Environment with name 'nowhere' does not exist"],
  ])("asks as the read-only user, and names the unknown value: %s", async (args, says) => {
    const reader = withBroker(scene.broker, "reader");
    const ran = await runScript("contracts-can-i-release", args.split(" "), reader);
    expect(ran).toMatchObject({ code: 1, err: expect.stringMatching(/^contracts:can-i-release: No: .*\n$/) });
    expect(ran.err).toContain(says);
  });
});

describe.skipIf(missing)("npm run broker", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "baanx-session-broker-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it.each(["SIGINT", "SIGTERM"] as const)(
    "answers at the address that it prints, and stops cleanly on %s",
    async (signal) => {
      const child = startScript("broker", ["--folder", folder], {});
      try {
        const [line] = await once(createInterface(child.stdout), "line");
        const url = /http:\S+/.exec(line)?.[0] ?? "none";
        expect((await fetch(`${url}/diagnostic/status/heartbeat`)).status).toBe(200);
        child.kill(signal);
        expect(await once(child, "exit")).toEqual([0, null]);
        await expect(fetch(url)).rejects.toThrow();
      } finally {
        child.kill();
      }
    },
  );

  it("reports a port that is taken", async () => {
    const { url, close } = await startServer({ app: { fetch: () => new Response() } });
    const ran = await runScript("broker", ["--port", new URL(url).port, "--folder", folder], {});
    await close();
    const err = expect.stringMatching(/^broker: .*did not start.*\n$/);
    expect(ran).toMatchObject({ code: 1, out: "", err });
  });
});
