/** Endings that a page begins on its way out. */
import type { Page } from "playwright-core";
import { describe, expect, it, vi } from "vitest";
import { lastEvent, useScene } from "./scene.ts";

const scene = useScene(import.meta.filename);

describe.skipIf(scene.missing)("a page that logs out and leaves at once", () => {
  const logOutAndLeave = (page: Page) =>
    page.evaluate(() => {
      void window.session.logout();
      location.href = "/login";
    });
  const isAlive = (token: string) => scene.site.provider.isAlive(token);
  const untilDead = (token: string) =>
    vi.waitFor(() => expect(isAlive(token)).toBe(false), { timeout: 30_000, interval: 5 });

  // What it measures is not how fast a busy machine is.
  it("has ended the session on the server, a hundred times out of a hundred", {
    timeout: 300_000,
  }, async () => {
    const page = await scene.openApp();
    for (let time = 0; time < 100; time++) {
      await page.goto(`${scene.site.pages}/app`);
      const preflights = scene.site.preflights.length;
      const tokens = scene.site.provider.login();
      await page.evaluate(async (given) => {
        await window.session.start({ ...given, grant: "login" });
        void window.session.logout();
        location.href = "/goodbye";
      }, tokens);
      await page.waitForURL("**/goodbye");
      await untilDead(tokens.accessToken);
      // It was no simple request: the browser had to ask first, on the way out.
      expect(scene.site.preflights.slice(preflights)).toEqual(["POST /v1/auth/logout"]);
    }
  });

  it("has ended it even when the preflight is answered after the page is gone", async () => {
    const page = await scene.openApp();
    const token = await scene.signIn(page);
    const release = scene.site.holdPreflights();
    await logOutAndLeave(page);
    await page.waitForURL("**/login");
    expect(isAlive(token)).toBe(true);
    release();
    await untilDead(token);
  });

  it("has ended it even when its tab is closed before the preflight is answered", async () => {
    const context = await scene.browser.newContext();
    const page = await scene.openApp(context);
    const token = await scene.signIn(page);
    const release = scene.site.holdPreflights();
    await page.evaluate(() => void window.session.logout());
    await page.close();
    // By then the closed one is taken down, too.
    await (await context.newPage()).goto(`${scene.site.pages}/login`);
    expect(isAlive(token)).toBe(true);
    release();
    await untilDead(token);
  });

  it("leaves the ending behind when the server says nothing, and the next page settles it", async () => {
    const page = await scene.openApp();
    const token = await scene.signIn(page);
    const undo = scene.site.provider.misbehave({ path: "/v1/auth/logout", delay: "forever" });
    await page.evaluate(() => {
      // Until its deadline the next page would leave the ending to this one.
      void window.sessionWith({ timeout: 1 }).logout();
      location.href = "/login";
    });
    await page.waitForURL("**/login");
    undo();
    expect(isAlive(token)).toBe(true);
    await scene.goToApp(page);
    expect(await lastEvent(page)).toEqual({ type: "settled", server: "confirmed" });
    expect(isAlive(token)).toBe(false);
    expect(await page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toContain("tokens");
  });
});
