/** The built package on each supported runtime, over TCP. The tests name the limits of a runtime. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BuiltPackage, buildPackage } from "../built.ts";
import { type Ran, runtimes, whyMissing } from "./runtimes.ts";
import { createWorld, type World } from "./world.ts";

let built: BuiltPackage;
beforeAll(async () => {
  built = await buildPackage();
});
afterAll(() => built?.remove());

const confirmed = (endpoint: "logout" | "revoke") => ({ endpoint, server: "confirmed", local: "cleared" });
const pending = (code: string) => ({
  endpoint: "logout",
  server: "unconfirmed",
  local: "pending",
  error: { code },
});

for (const runtime of runtimes) {
  const missing = whyMissing(runtime);
  if (missing) process.stderr.write(`${runtime.name}: skipped, since ${missing}\n`);

  describe.skipIf(missing)(`on ${runtime.name}`, () => {
    let world: World;
    let ran: Ran;
    const isDead = (name: keyof World["settings"]["tokens"]) => !world.isAlive(world.settings.tokens[name]);

    beforeAll(async () => {
      world = await createWorld();
      ran = await runtime.run(built, world.settings);
    });
    afterAll(() => world?.end());

    it("runs the scenario on this runtime", () => {
      expect(ran.version.slice(0, runtime.name.length)).toBe(runtime.name);
    });

    it("uses a session, signs it out at once and ends it on the server", () => {
      const { ended } = ran.outcome;
      expect(ended).toEqual({
        status: 200,
        state: "signed-out",
        end: confirmed("logout"),
        after: "no-session",
        probe: "invalid",
      });
      expect(isDead("login")).toBe(true);
    });

    it("revokes an authorization", () => {
      expect(ran.outcome.revoked).toEqual(confirmed("revoke"));
      expect(isDead("oauth")).toBe(true);
    });

    it("renews an expired token once for two calls, and ends the new one", () => {
      expect(ran.outcome.renewed).toEqual({ statuses: [200, 200], renewals: 1, end: confirmed("revoke") });
      expect(isDead("renewed")).toBe(true);
    });

    it("aborts a call in flight when the session ends", () => {
      expect(ran.outcome.inFlight).toEqual({ call: "session-ended", end: confirmed("logout") });
    });

    it("keeps an ending for a closed port, and flushes it when a server listens there", () => {
      expect(ran.outcome.pending).toMatchObject({
        end: pending("network"),
        state: "signed-out",
        pending: 1,
        flushed: [confirmed("logout")],
        left: 0,
      });
      expect(isDead("late")).toBe(true);
    });

    it("reports an unanswered ending at its deadline, and flushes it later", () => {
      expect(ran.outcome.silent).toMatchObject({ end: pending("timeout"), flushed: [confirmed("logout")] });
      expect(isDead("silent")).toBe(true);
    });

    it("truncates an endless error, where body streams are supported", () => {
      const length = runtime.name.startsWith("React Native") ? 100_000 : 65_536;
      expect(ran.outcome.cut).toEqual({ status: 500, length, end: confirmed("logout") });
    });

    // React Native's native part follows redirects, and cannot be told not to.
    if (runtime.name.startsWith("React Native")) return;
    it("sends no credentials to the target of a redirect", () => {
      expect(ran.outcome.redirected).toMatchObject(pending("unexpected-response"));
      expect(world.leaked).toEqual([]);
    });
  });
}
