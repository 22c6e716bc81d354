/** A page that is not allowed any storage: reading `localStorage` throws. */
import { describe, expect, it } from "vitest";
import { useScene } from "./scene.ts";

const scene = useScene(import.meta.filename);

describe.skipIf(scene.missing)("a session in a sandboxed frame", () => {
  async function openFrame() {
    const page = await (await scene.browser.newContext()).newPage();
    await page.goto(`${scene.site.pages}/frame`);
    const frame = page.frames()[1];
    if (!frame) throw new Error("There is no frame.");
    await frame.waitForFunction(() => document.title === "ready");
    return frame;
  }

  it("is really without storage", async () => {
    const frame = await openFrame();
    const name = await frame.evaluate(() => {
      try {
        return localStorage.length;
      } catch (error) {
        return error instanceof Error && error.name;
      }
    });
    expect(name).toBe("SecurityError");
  });

  it("lives in memory, says that the store failed, and ends on the server all the same", async () => {
    const frame = await openFrame();
    const tokens = scene.site.provider.login();
    const { state, end, failures } = await frame.evaluate(async (given) => {
      await window.session.start({ ...given, grant: "login" });
      const { state } = window.session;
      const { server, local, storeError } = await window.session.logout();
      const failures = window.events.flatMap(({ error }) => error?.message ?? []);
      return { state, end: { server, local, code: storeError?.code }, failures };
    }, tokens);
    expect(state).toBe("active");
    // What could never be written is not there to be read back.
    expect(end).toEqual({ server: "confirmed", local: "cleared", code: "store-failed" });
    expect(failures[0]).toBe("store-failed: read");
    expect(scene.site.provider.isAlive(tokens.accessToken)).toBe(false);
  });
});
