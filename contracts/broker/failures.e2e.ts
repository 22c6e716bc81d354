/** What a pipeline meets: each failure is one line that says what to do, and an exit code. With a real broker. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runScript, startScript } from "../fixtures/run.ts";
import { as, missingHere, openScene, type Scene, users, withBroker } from "./testing/scene.ts";

const missing = missingHere("contracts/broker/failures.e2e.ts");

describe.skipIf(missing)("a command", () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await openScene(users);
    await runScript("contracts-publish", as("c1"), withBroker(scene.broker, "writer"));
  });

  afterAll(() => scene?.end());

  it("says that the credentials are wrong, and does not show them", async () => {
    const ran = await runScript("contracts-publish", as("c2"), withBroker(scene.broker, "stranger"));
    const err = `contracts:publish: The broker at ${scene.broker.url} does not accept the credentials (401), or not for writing.\n`;
    expect(ran).toEqual({ code: 1, out: "", err });
  });

  it("says which variables hold credentials when there are none", async () => {
    const ran = await runScript("contracts-can-i-release", ["--version", "c1"], withBroker(scene.broker));
    expect(ran).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringContaining("set PACT_BROKER_TOKEN, or"),
    });
  });

  it("cannot publish as the read-only user, who can ask", async () => {
    const reader = withBroker(scene.broker, "reader");
    const [published, asked] = await Promise.all([
      runScript("contracts-publish", as("c2"), reader),
      runScript("contracts-can-i-release", ["--version", "c1"], reader),
    ]);
    expect(published).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringMatching(/^.*not for writing\.\n$/),
    });
    expect(asked).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^contracts:can-i-release: No: No version /),
    });
  });

  it("fails a verification whose results it may not publish", async () => {
    const ran = await runScript("contracts-verify", ["--from-broker"], {
      ...withBroker(scene.broker, "reader"),
      PROVIDER_BRANCH: "main",
    });
    expect(ran).toMatchObject({ code: 1, err: expect.stringMatching(/^contracts:verify: .*(40[13]).*\n$/) });
  });

  it("says no to a version of the provider, and to one of its own, that nobody has heard of", async () => {
    const writer = withBroker(scene.broker, "writer");
    const [provider, own, record] = await Promise.all([
      runScript("contracts-can-i-release", ["--version", "c1", "--provider-version", "p9"], writer),
      runScript("contracts-can-i-release", ["--version", "c9"], writer),
      runScript("contracts-record-release", ["--version", "c9"], writer),
    ]);
    expect(provider).toMatchObject({
      code: 1,
      err: "contracts:can-i-release: No: No pacts or verifications have been published for version p9 of baanx-auth-api\n",
    });
    expect(own).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^contracts:can-i-release: No: .*c9.*\n$/),
    });
    expect(record).toMatchObject({ code: 1, err: expect.stringContaining("contracts:publish` comes first") });
  });
});

describe.skipIf(missing)("npm run broker", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "answers at the address that it prints, and stops cleanly on %s",
    async (signal) => {
      const folder = await mkdtemp(join(tmpdir(), "baanx-session-broker-"));
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
        await rm(folder, { recursive: true });
      }
    },
  );

  it("says that a port is taken", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? String(address?.port) : "";
    const folder = await mkdtemp(join(tmpdir(), "baanx-session-broker-"));
    try {
      const ran = await runScript("broker", ["--port", port, "--folder", folder], {});
      expect(ran).toMatchObject({
        code: 1,
        out: "",
        err: expect.stringMatching(/^broker: .*did not start.*\n$/),
      });
    } finally {
      server.close();
      await rm(folder, { recursive: true });
    }
  });
});
