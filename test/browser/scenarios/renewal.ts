/** Renewals: one tab at a time does it, and nothing that becomes of that tab keeps the others from it. */
import { expect, vi } from "vitest";
import type { Tab } from "../engines/engine.ts";
import {
  authorize,
  callFrom,
  openOne,
  openTabs,
  type Scenario,
  stateOf,
  untilReady,
  untilState,
} from "./scenario.ts";

/** How long a tab waits for the renewal of another. */
const impatient = "/app?timeout=1000";

export const renewal: readonly Scenario[] = [
  {
    name: "Two tabs that need new tokens renew once",
    async play(stage) {
      const { site } = stage;
      const [one, other] = (await openTabs(stage)).tabs;
      const { accessToken } = await authorize(site, one);
      await untilState(other, "active");
      site.provider.expire(accessToken);
      const since = site.provider.requests.length;
      const calls = await Promise.all([callFrom(site, one), callFrom(site, other)]);
      expect(calls).toEqual(["status 200", "status 200"]);
      const paths = site.provider.requests.slice(since).map(({ path }) => path);
      expect(paths.filter((path) => path === "/v1/auth/oauth/token")).toHaveLength(1);
    },
  },
  {
    name: "A tab that hangs while it renews does not keep another from it",
    async play(stage) {
      const { site } = stage;
      const [one, other] = (await openTabs(stage, [impatient, impatient])).tabs;
      const { accessToken } = await authorize(site, one);
      await untilState(other, "active");
      await one.run(() => {
        window.beforeRenewal = () => {
          for (const end = Date.now() + 5_000; Date.now() < end; );
          localStorage.setItem("hung", "no more");
        };
      });
      site.provider.expire(accessToken);
      const hung = beginCall(one, `${site.api}/v1/user`);
      await hung;
      await vi.waitFor(async () => expect(await locksHeld(other)).toBe(1), { timeout: 5_000, interval: 10 });
      expect(await callFrom(site, other)).toBe("status 200");
      expect(await other.run(() => localStorage.getItem("hung"))).toBe(null);
      // It finds the tokens of the other when it goes on.
      await vi.waitFor(async () => expect(await answerOf(one)).toBe("status 200"), 15_000);
      expect(await stateOf(one)).toEqual({ state: "active", pending: 0 });
    },
  },
  {
    name: "A tab that is frozen while it renews does not keep another from it",
    not: {
      Firefox: "WebDriver BiDi cannot freeze a tab",
      WebKit: "WebDriver cannot freeze a tab",
    },
    async play(stage) {
      const { site } = stage;
      const [one, other] = (await openTabs(stage, [impatient, impatient])).tabs;
      const { accessToken } = await authorize(site, one);
      await untilState(other, "active");
      site.provider.expire(accessToken);
      const release = site.holdRenewals();
      await beginCall(one, `${site.api}/v1/user`);
      await vi.waitFor(async () => expect(await locksHeld(other)).toBe(1), { timeout: 5_000, interval: 10 });
      await one.freeze();
      release();
      expect(await callFrom(site, other)).toBe("status 200");
      expect(await locksHeld(other)).toBe(1);
      await one.show();
      await vi.waitFor(async () => expect(await answerOf(one)).toBe("status 200"), 15_000);
      expect([await stateOf(one), await stateOf(other)]).toEqual([
        { state: "active", pending: 0 },
        { state: "active", pending: 0 },
      ]);
    },
  },
  {
    name: "A reload in the middle of a renewal: the page renews again, and the session goes on",
    async play(stage) {
      const { site } = stage;
      const { tab } = await openOne(stage);
      const { accessToken, refreshToken } = await authorize(site, tab);
      site.provider.expire(accessToken);
      const release = site.holdRenewals();
      await beginCall(tab, `${site.api}/v1/user`);
      await vi.waitFor(async () => expect(await locksHeld(tab)).toBe(1), { timeout: 5_000, interval: 10 });
      await tab.visit(`${site.pages}/app`);
      await untilReady(tab);
      release();
      // Of the page that is gone no lock is left, or this would wait for its deadline.
      expect(await callFrom(site, tab)).toBe("status 200");
      expect(site.provider.isAlive(refreshToken)).toBe(false);
      expect(await stateOf(tab)).toEqual({ state: "active", pending: 0 });
    },
  },
];

/** A call that is not waited for. Its outcome is asked for later. */
const beginCall = (tab: Tab, url: string) =>
  tab.run((to) => {
    const answer = (text: string) => Object.assign(window, { answer: text });
    setTimeout(() => {
      window.session.fetch(to).then(
        ({ status }) => answer(`status ${status}`),
        (error) => answer(`${error}`),
      );
    });
  }, url);

const answerOf = (tab: Tab) => tab.run(() => ("answer" in window ? window.answer : ""));

const locksHeld = (tab: Tab) => tab.run(async () => (await navigator.locks.query()).held?.length);
