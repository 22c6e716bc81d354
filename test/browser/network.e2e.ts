/** A browser without a network, a server that fails, and one that sends requests elsewhere. */
import { describe, expect, it } from "vitest";
import { lastEvent, stateOf, untilReady, untilState, useScene } from "./scene.ts";

const scene = useScene(import.meta.filename);

describe.skipIf(scene.missing)("an ending that does not reach the server", () => {
  it("is sent as soon as the browser is online again", async () => {
    const context = await scene.browser.newContext();
    const page = await scene.openApp(context);
    const token = await scene.signIn(page);
    await context.setOffline(true);
    await page.evaluate(() => window.session.logout());
    expect(await lastEvent(page)).toEqual({ type: "settled", server: "unconfirmed", code: "network" });
    expect(await stateOf(page)).toEqual({ state: "signed-out", pending: 1 });
    await context.setOffline(false);
    await untilState(page, "signed-out", 0);
    expect(await lastEvent(page)).toEqual({ type: "settled", server: "confirmed" });
    expect(scene.site.provider.isAlive(token)).toBe(false);
  });

  it("is kept over a reload, which tries it again", async () => {
    const page = await scene.openApp();
    const token = await scene.signIn(page);
    const undo = scene.site.provider.misbehave({ path: "/v1/auth/logout", status: 503 });
    await page.evaluate(() => window.session.logout());
    expect(await stateOf(page)).toEqual({ state: "signed-out", pending: 1 });
    undo();
    await page.reload();
    await untilReady(page);
    expect(await stateOf(page)).toEqual({ state: "signed-out", pending: 0 });
    expect(scene.site.provider.isAlive(token)).toBe(false);
  });

  it("says how long the server asked to wait, which CORS lets the page read", async () => {
    const page = await scene.openApp();
    await scene.signIn(page);
    const refused = { status: 429, headers: { "retry-after": "3600" } };
    scene.site.provider.misbehave({ path: "/v1/auth/logout", times: 1, ...refused });
    const wait = await page.evaluate(async () => (await window.session.logout()).error?.retryAfter);
    expect(wait).toBe(3_600_000);
  });
});

describe.skipIf(scene.missing)("a server that redirects", () => {
  it("gets no credentials sent to where it leads, and the ending stays unconfirmed", async () => {
    const page = await scene.openApp();
    const { redirecting: baseUrl, leaked } = scene.site;
    const ends = await page.evaluate(async (to) => {
      const session = window.sessionWith({ baseUrl: to, retries: 0 });
      await session.start({ accessToken: "a-token-to-keep", grant: "oauth" });
      const { type, status } = await session.fetch(`${to}/v1/user`);
      const { server, error } = await session.end();
      return { type, status, server, code: error?.code };
    }, baseUrl);
    expect(ends).toEqual({
      type: "opaqueredirect",
      status: 0,
      server: "unconfirmed",
      code: "unexpected-response",
    });
    expect(leaked).toEqual([]);
  });

  it("would get them sent there by a fetch that follows", async () => {
    const page = await scene.openApp();
    const { redirecting, leaked } = scene.site;
    await page.evaluate(
      (to) => fetch(`${to}/v1/auth/logout`, { method: "POST", headers: { "x-client-key": "a-key" } }),
      redirecting,
    );
    // What the test above would have seen.
    expect(leaked.join()).toContain('"x-client-key":"a-key"');
    leaked.length = 0;
  });
});
