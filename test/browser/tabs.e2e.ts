/** Two tabs of one browser: what one does to the session, the other hears of. */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { lastEvent, stateOf, untilState, useScene } from "./scene.ts";

const scene = useScene(import.meta.filename, {
  // Playwright turns the back-forward cache off; people have it on.
  ignoreDefaultArgs: ["--disable-back-forward-cache"],
});

describe.skipIf(scene.missing)("with two tabs", () => {
  async function openTwo(): Promise<[Page, Page]> {
    const context = await scene.browser.newContext();
    return [await scene.openApp(context), await scene.openApp(context)];
  }

  /** A call of a tab, which the server does not answer. */
  function beginCall(tab: Page): Promise<string> {
    return tab.evaluate(async (url) => {
      try {
        return `status ${(await window.session.fetch(url)).status}`;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    }, `${scene.site.api}/v1/user`);
  }

  const elsewhere = { type: "signed-out", reason: "elsewhere" };

  it("a sign-in in one is seen in the other", async () => {
    const [one, other] = await openTwo();
    await scene.signIn(one);
    await untilState(other, "active");
    expect(await beginCall(other)).toBe("status 200");
  });

  it("an ending in one signs the other out, and breaks off what it is asking", async () => {
    const [one, other] = await openTwo();
    await scene.signIn(one);
    await untilState(other, "active");
    const asked = scene.site.provider.requests.length;
    scene.site.provider.misbehave({ path: "/v1/user", delay: "forever", times: 1 });
    const call = beginCall(other);
    await expect.poll(() => scene.site.provider.requests.length, { interval: 5 }).toBeGreaterThan(asked);
    const end = await one.evaluate(() => window.session.logout());
    expect(end).toMatchObject({ server: "confirmed", local: "cleared" });
    expect(await call).toContain("session-ended");
    await untilState(other, "signed-out");
    expect(await lastEvent(other, "signed-out")).toEqual(elsewhere);
  });

  it("one does not lend the other its tokens when another user signs in there", async () => {
    const [one, other] = await openTwo();
    await scene.signIn(one);
    await untilState(other, "active");
    const stranger = scene.site.provider.addUser({ email: "grace@example.com" });
    await scene.signIn(other, stranger.id);
    await untilState(one, "signed-out");
    expect(await lastEvent(one, "signed-out")).toEqual(elsewhere);
    expect(await beginCall(one)).toContain("no-session");
    expect(await stateOf(other)).toEqual({ state: "active", pending: 0 });
  });

  it("an ending that one could not send is sent by the other when the network is back", async () => {
    const [one, other] = await openTwo();
    const token = await scene.signIn(one);
    await one.context().setOffline(true);
    await one.evaluate(() => window.session.logout());
    await untilState(other, "signed-out", 1);
    await one.close();
    await other.context().setOffline(false);
    await untilState(other, "signed-out", 0);
    expect(scene.site.provider.isAlive(token)).toBe(false);
  });

  it("a page that comes back from the back-forward cache hears of what it missed", async () => {
    const [one, other] = await openTwo();
    await scene.signIn(one);
    await untilState(other, "active");
    await other.evaluate(() => Object.assign(window, { isTheSamePage: true }));
    await other.goto(`${scene.site.pages}/login`);
    await one.evaluate(() => window.session.logout());
    await other.goBack({ waitUntil: "commit" });
    await other.waitForFunction(() => "isTheSamePage" in window);
    await untilState(other, "signed-out");
    expect(await lastEvent(other, "signed-out")).toEqual(elsewhere);
  });
});
