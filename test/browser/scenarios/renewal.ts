/** Renewals: one tab at a time renews, and its failure does not block the others. */
import { expect, vi } from "vitest";
import type { Tab } from "../engines/engine.ts";
import type { Site } from "../site.ts";
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

/** The time that a tab waits for another tab's renewal. */
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
      await beginCall(site, one);
      await untilLocked(other);
      expect(await callFrom(site, other)).toBe("status 200");
      expect(await other.run(() => localStorage.getItem("hung"))).toBe(null);
      await untilTheyAgree(site, one, other);
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
      const isAsked = site.swallowRenewal();
      await beginCall(site, one);
      await isAsked;
      await one.freeze();
      expect(await callFrom(site, other)).toBe("status 200");
      // It holds the lock permanently.
      expect(await locksHeld(other)).toBe(1);
      await one.show();
      await untilTheyAgree(site, one, other);
    },
  },
  {
    name: "A reload in the middle of a renewal: the page renews again, and the session goes on",
    async play(stage) {
      const { site } = stage;
      const { tab } = await openOne(stage);
      const { accessToken, refreshToken } = await authorize(site, tab);
      site.provider.expire(accessToken);
      const isAsked = site.swallowRenewal();
      await beginCall(site, tab);
      // Before that, the page after the reload would get no answer.
      await isAsked;
      await tab.visit(`${site.pages}/app`);
      await untilReady(tab);
      // The closed page has released its lock. Otherwise this call would wait for its deadline.
      expect(await callFrom(site, tab)).toBe("status 200");
      expect(site.provider.isAlive(refreshToken)).toBe(false);
      expect(await stateOf(tab)).toEqual({ state: "active", pending: 0 });
    },
  },
];

/** Starts a call without waiting for it. */
const beginCall = ({ api }: Site, tab: Tab) =>
  tab.run((url) => void window.session.fetch(url).catch(() => {}), `${api}/v1/user`);

const locksHeld = (tab: Tab) => tab.run(async () => (await navigator.locks.query()).held?.length ?? 0);

const untilLocked = (tab: Tab) =>
  vi.waitFor(async () => expect(await locksHeld(tab)).toBe(1), { timeout: 15_000, interval: 10 });

/** Waits until the stopped tab has found the tokens of the other. */
async function untilTheyAgree(site: Site, one: Tab, other: Tab): Promise<void> {
  await vi.waitFor(async () => expect(await callFrom(site, one)).toBe("status 200"), 15_000);
  for (const tab of [one, other]) expect(await stateOf(tab)).toEqual({ state: "active", pending: 0 });
}
