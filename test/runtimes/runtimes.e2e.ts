/** The built package on each runtime that it is for, over TCP. What a runtime cannot do is said in the test of it. */
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

    it("the scenario runs on it, and on nothing else", () => {
      expect(ran.version.slice(0, runtime.name.length)).toBe(runtime.name);
    });

    it("a session is used, signed out at once and ended on the server", () => {
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

    it("an authorization is revoked", () => {
      expect(ran.outcome.revoked).toEqual(confirmed("revoke"));
      expect(isDead("oauth")).toBe(true);
    });

    it("an expired token is renewed, once for two calls, and the new one is ended", () => {
      expect(ran.outcome.renewed).toEqual({ statuses: [200, 200], renewals: 1, end: confirmed("revoke") });
      expect(isDead("renewed")).toBe(true);
    });

    it("a call in flight is broken off when the session ends", () => {
      expect(ran.outcome.inFlight).toEqual({ call: "session-ended", end: confirmed("logout") });
    });

    it("an ending that meets a dead port is kept, and flushed when somebody listens there", () => {
      expect(ran.outcome.pending).toMatchObject({
        end: pending("network"),
        state: "signed-out",
        pending: 1,
        flushed: [confirmed("logout")],
        left: 0,
      });
      expect(isDead("late")).toBe(true);
    });

    it("an ending that is not answered is over at its deadline, and flushed later", () => {
      expect(ran.outcome.silent).toMatchObject({ end: pending("timeout"), flushed: [confirmed("logout")] });
      expect(isDead("silent")).toBe(true);
    });

    it("an error without end is cut, where there are body streams", () => {
      const length = runtime.name.startsWith("React Native") ? 100_000 : 65_536;
      expect(ran.outcome.cut).toEqual({ status: 500, length, end: confirmed("logout") });
    });

    // Below its JavaScript, React Native follows redirects, and nothing can tell it not to.
    if (runtime.name.startsWith("React Native")) return;
    it("credentials go nowhere that a redirect leads to", () => {
      expect(ran.outcome.redirected).toMatchObject(pending("unexpected-response"));
      expect(world.leaked).toEqual([]);
    });
  });
}
