/** Storage that is blocked, full, private, or older than the browser. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import {
  logOut,
  openApp,
  openOne,
  type Scenario,
  signIn,
  stateOf,
  storedIn,
  until,
  untilDead,
  untilReady,
} from "./scenario.ts";

export const storage: readonly Scenario[] = [
  {
    name: "With blocked storage a session lives in memory, says so, and ends on the server",
    async play({ site, newProfile }) {
      const tab = await openApp(site, await newProfile(), "/sandboxed");
      const reading = await tab.run(() => {
        try {
          return `${localStorage.length}`;
        } catch (error) {
          return error instanceof Error ? error.name : "";
        }
      });
      expect(reading).toBe("SecurityError");
      const token = await signIn(site, tab);
      expect(await stateOf(tab)).toEqual({ state: "active", pending: 0 });
      // A failed write may have taken effect: only a read could tell.
      expect(await logOut(tab)).toEqual({ server: "confirmed", local: "failed", code: "store-failed" });
      const failures = await tab.run(() => window.events.flatMap(({ error }) => error?.message ?? []));
      expect(failures[0]).toMatch(/^store-failed: read\(\) of the store failed: SecurityError/);
      expect(site.provider.isAlive(token)).toBe(false);
    },
  },
  {
    name: "With its quota exceeded at logout, nothing of the session is left",
    async play(stage) {
      const { site } = stage;
      const { tab } = await openOne(stage);
      const token = await signIn(site, tab);
      expect(await tab.run(fillStorage)).toBe("QuotaExceededError");
      expect(await logOut(tab)).toMatchObject({ server: "confirmed", local: "cleared" });
      expect(site.provider.isAlive(token)).toBe(false);
      expect(await storedIn(tab)).not.toContain(token);
      await tab.visit(`${site.pages}/app`);
      await untilReady(tab);
      expect(await stateOf(tab)).toEqual({ state: "signed-out", pending: 0 });
    },
  },
  {
    name: "With its quota exceeded at a logout that the server refuses, the token stays until it is ended, and the result says so",
    async play(stage) {
      const { site } = stage;
      const { tab } = await openOne(stage);
      const token = await signIn(site, tab);
      expect(await tab.run(fillStorage)).toBe("QuotaExceededError");
      const undo = site.provider.misbehave({ path: "/v1/auth/logout", status: 503 });
      const end = await tab.run(async () => {
        const { server, local, storeError } = await window.session.end();
        return { server, local, storeError: storeError?.code };
      });
      undo();
      expect(end).toEqual({ server: "unconfirmed", local: "failed", storeError: "store-failed" });
      // The ending does not fit, and a token is never removed before its ending is stored.
      expect(await storedIn(tab)).toContain(token);
      const ends = await tab.run(async () => (await window.session.flush()).map(({ server }) => server));
      expect(ends).toEqual(["confirmed"]);
      expect(site.provider.isAlive(token)).toBe(false);
      expect(await storedIn(tab)).not.toContain(token);
    },
  },
  {
    name: "A private window keeps a session for its own tabs, and ends it as any other does",
    async play({ site, newProfile }) {
      const profile = await newProfile({ isPrivate: true });
      const one = await openApp(site, profile);
      const token = await signIn(site, one);
      const other = await openApp(site, profile);
      expect(await stateOf(other)).toEqual({ state: "active", pending: 0 });
      await one.run(() => {
        void window.session.logout();
        location.href = "/login";
      });
      await untilDead(site, token);
      await until(other, () => window.session.state === "signed-out", undefined);
    },
  },
  {
    name: "A logout that the server refused is sent when the browser is started again",
    not: { WebKit: "its WebDriver has private windows only" },
    async play({ site, newProfile }) {
      const folder = await mkdtemp(join(tmpdir(), "profile-"));
      try {
        const before = await newProfile({ folder });
        const tab = await openApp(site, before);
        const token = await signIn(site, tab);
        const undo = site.provider.misbehave({ path: "/v1/auth/logout", status: 503 });
        expect(await logOut(tab)).toMatchObject({ server: "unconfirmed", local: "pending" });
        await before.close();
        undo();
        const after = await newProfile({ folder });
        expect(await stateOf(await openApp(site, after))).toEqual({ state: "signed-out", pending: 0 });
        expect(site.provider.isAlive(token)).toBe(false);
        await after.close();
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  },
];

/** Fills the storage completely, and returns its error. */
function fillStorage(): string {
  let failure = "";
  for (let size = 2 ** 20; size >= 1; ) {
    try {
      localStorage.setItem(`filler-${localStorage.length}`, "x".repeat(size));
    } catch (error) {
      failure = error instanceof DOMException ? error.name : String(error);
      size = Math.floor(size / 2);
    }
  }
  return failure;
}
