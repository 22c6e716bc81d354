/** Two tabs of one browser: changes to the session in one reach the other. */
import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { Site } from "../site.ts";
import {
  callFrom,
  elsewhere,
  lastEvent,
  logOut,
  openTabs,
  type Scenario,
  signIn,
  stateOf,
  storedIn,
  tooLate,
  until,
  untilAsked,
  untilDead,
  untilState,
} from "./scenario.ts";

/** Adds a second user. */
const addGrace = (site: Site) => site.provider.addUser({ email: `grace-${randomUUID()}@example.com` });

export const tabs: readonly Scenario[] = [
  {
    name: "A logout in one tab signs the other out, and aborts its requests",
    async play(stage) {
      const { site } = stage;
      const [one, other] = (await openTabs(stage)).tabs;
      await signIn(site, one);
      await untilState(other, "active");
      const since = site.provider.requests.length;
      site.provider.misbehave({ path: "/v1/user", delay: "forever", times: 1 });
      const call = callFrom(site, other);
      await untilAsked(site, "/v1/user", since);
      expect(await logOut(one)).toMatchObject({ server: "confirmed", local: "cleared" });
      expect(await call).toContain("session-ended");
      await untilState(other, "signed-out");
      expect(await lastEvent(other, "signed-out")).toEqual(elsewhere);
    },
  },
  {
    name: "A tab that hears no storage event signs out when it is shown again",
    async play(stage) {
      const [one, other] = (await openTabs(stage, ["/app", "/deaf"])).tabs;
      await signIn(stage.site, one);
      await other.hide();
      await other.show();
      await untilState(other, "active");
      await other.hide();
      await logOut(one);
      expect(await stateOf(other)).toEqual({ state: "active", pending: 0 });
      await other.show();
      await untilState(other, "signed-out");
      expect(await lastEvent(other, "signed-out")).toEqual(elsewhere);
    },
  },
  {
    name: "Two users: a tab does not go on as another user who signs in beside it",
    async play(stage) {
      const { site } = stage;
      const [one, other] = (await openTabs(stage)).tabs;
      const ended = await signIn(site, one);
      await untilState(other, "active");
      const grace = addGrace(site);
      const token = await signIn(site, other, grace.id);
      await untilState(one, "signed-out");
      expect(await lastEvent(one, "signed-out")).toEqual(elsewhere);
      expect(await callFrom(site, one)).toContain("no-session");
      await untilState(other, "active");
      expect([site.provider.isAlive(ended), site.provider.isAlive(token)]).toEqual([false, true]);
    },
  },
  {
    name: "Two users: a logout that had to wait for the server does not end the next user's session",
    async play(stage) {
      const { site } = stage;
      const [one, other] = (await openTabs(stage)).tabs;
      const ended = await signIn(site, one);
      await untilState(other, "active");
      const undo = site.provider.misbehave({ path: "/v1/auth/logout", status: 503 });
      expect(await logOut(one)).toMatchObject({ server: "unconfirmed", local: "pending" });
      undo();
      // In Chromium, the other tab sees only after a while that the first one has released its lease.
      await until(
        other,
        () => Object.values(localStorage).some((text) => text.includes('"until":0')),
        undefined,
      );
      const grace = addGrace(site);
      // Its sign-in triggers a retry of the logout.
      const token = await signIn(site, other, grace.id);
      await untilState(other, "active");
      expect([site.provider.isAlive(ended), site.provider.isAlive(token)]).toEqual([false, true]);
      expect(await callFrom(site, other)).toBe("status 200");
    },
  },
  {
    name: "A logout without a network is sent by another tab when the network is back",
    not: { WebKit: "WebDriver cannot take the network from a browser" },
    async play(stage) {
      const { site } = stage;
      const { profile, tabs } = await openTabs(stage);
      const [one, other] = tabs;
      const token = await signIn(site, one);
      await untilState(other, "active");
      await profile.setOffline(true);
      await logOut(one);
      await untilState(other, "signed-out", 1);
      // Closing it would put it online for a moment, because its emulation ends first, so it would send the ending.
      await one.visit("about:blank");
      await profile.setOffline(false);
      await untilState(other, "signed-out", 0);
      expect(site.provider.isAlive(token)).toBe(false);
    },
  },
  {
    name: "A logout whose tab is closed before the server answered is sent again by the tab that is left",
    async play(stage) {
      const { site } = stage;
      // The other tab leaves the ending to the first one until the first one's deadline.
      const [one, other] = (await openTabs(stage, ["/app?timeout=3000", "/app"])).tabs;
      const token = await signIn(site, one);
      await untilState(other, "active");
      const since = site.provider.requests.length;
      site.provider.misbehave({ path: "/v1/auth/logout", times: 1, ...tooLate });
      await one.run(() => void window.session.logout());
      await untilAsked(site, "/v1/auth/logout", since);
      await one.close();
      await untilDead(site, token);
      await untilState(other, "signed-out", 0);
      expect(await lastEvent(other, "signed-out")).toEqual(elsewhere);
      expect(await lastEvent(other)).toEqual({ type: "settled", server: "confirmed" });
      expect(await storedIn(other)).not.toContain("tokens");
    },
  },
  {
    name: "A frozen tab signs out when it resumes",
    not: {
      Firefox: "WebDriver BiDi cannot freeze a tab",
      WebKit: "WebDriver cannot freeze a tab",
    },
    async play(stage) {
      const [one, other] = (await openTabs(stage)).tabs;
      await signIn(stage.site, one);
      await untilState(other, "active");
      await other.freeze();
      await logOut(one);
      await other.show();
      await untilState(other, "signed-out");
      expect(await lastEvent(other, "signed-out")).toEqual(elsewhere);
    },
  },
];
