/** Pages that the user leaves: directly after a logout, for good, or to return later. */
import { expect } from "vitest";
import type { Tab } from "../engines/engine.ts";
import {
  elsewhere,
  goToApp,
  lastEvent,
  logOut,
  openOne,
  openTabs,
  type Scenario,
  signIn,
  storedIn,
  tooLate,
  until,
  untilAt,
  untilDead,
  untilState,
} from "./scenario.ts";

const logOutAndLeave = (tab: Tab) =>
  tab.run(() => {
    void window.session.logout();
    location.href = "/goodbye";
  });

/** Moves by steps in the history. */
const go = (tab: Tab, by: number) => tab.run((steps) => void setTimeout(() => history.go(steps)), by);

const mark = (tab: Tab, name: string) =>
  tab.run((given) => void Object.assign(window, { mark: given }), name);
/** Waits until a page is back that was not reloaded. */
const untilMarked = (tab: Tab, name: string) =>
  until(tab, (given) => "mark" in window && window.mark === given, name);

export const navigation: readonly Scenario[] = [
  {
    name: "A logout that is followed at once by a navigation reaches the server, 100 times out of 100",
    async play(stage) {
      const { site } = stage;
      const { tab } = await openOne(stage);
      for (let time = 0; time < 100; time++) {
        await goToApp(site, tab);
        const preflights = site.preflights.length;
        const token = await signIn(site, tab);
        await logOutAndLeave(tab);
        await untilAt(tab, "/goodbye");
        await untilDead(site, token);
        // The request is not simple, so the browser sent a preflight while leaving.
        expect(site.preflights.slice(preflights)).toEqual(["POST /v1/auth/logout"]);
      }
    },
  },
  {
    name: "A logout reaches the server even when the preflight is answered after the page is gone",
    async play(stage) {
      const { site } = stage;
      const { tab } = await openOne(stage);
      const token = await signIn(site, tab);
      const release = site.holdPreflights();
      await logOutAndLeave(tab);
      await untilAt(tab, "/goodbye");
      expect(site.provider.isAlive(token)).toBe(true);
      release();
      await untilDead(site, token);
    },
  },
  {
    name: "A logout reaches the server even when the preflight is answered after the tab was closed",
    async play(stage) {
      const { site } = stage;
      const { profile, tab } = await openOne(stage);
      const token = await signIn(site, tab);
      const release = site.holdPreflights();
      await tab.run(() => void window.session.logout());
      await tab.close();
      // By then the closed tab is also torn down.
      await profile.open(`${site.pages}/login`);
      expect(site.provider.isAlive(token)).toBe(true);
      release();
      await untilDead(site, token);
    },
  },
  {
    name: "A logout that the server did not answer in time is sent again by the next page",
    async play(stage) {
      const { site } = stage;
      const { tab } = await openOne(stage);
      const token = await signIn(site, tab);
      // Too late for a deadline of 1 ms, but short, so that a long run has a free connection.
      const undo = site.provider.misbehave({ path: "/v1/auth/logout", ...tooLate, delay: 1_000 });
      await tab.run(() => {
        // Until this deadline, the next page would leave the ending to this one.
        void window.sessionWith({ timeout: 1 }).logout();
        location.href = "/login";
      });
      await untilAt(tab, "/login");
      undo();
      expect(site.provider.isAlive(token)).toBe(true);
      await goToApp(site, tab);
      expect(await lastEvent(tab)).toEqual({ type: "settled", server: "confirmed" });
      expect(site.provider.isAlive(token)).toBe(false);
      expect(await storedIn(tab)).not.toContain("tokens");
    },
  },
  {
    name: "Pages that come back from the back-forward cache sign out",
    async play(stage) {
      const { site } = stage;
      const [one, other] = (await openTabs(stage)).tabs;
      await signIn(site, one);
      await untilState(other, "active");
      await mark(other, "first");
      await goToApp(site, other, "/app?second");
      await untilState(other, "active");
      await mark(other, "second");
      await other.visit(`${site.pages}/login`);
      await logOut(one);
      for (const [step, page] of [
        [-1, "second"],
        [-1, "first"],
        [1, "second"],
      ] as const) {
        await go(other, step);
        await untilMarked(other, page);
        await untilState(other, "signed-out");
        expect(await lastEvent(other, "signed-out")).toEqual(elsewhere);
      }
    },
  },
];
