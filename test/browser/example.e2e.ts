/** The example page, as a person uses it: by what is read on it, and by its keyboard. It takes its pictures, too. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningExample, serveExample } from "../../examples/browser/serve.ts";
import { type BuiltPackage, buildPackage } from "../built.ts";
import { launch, missingHere } from "./scene.ts";

const missing = missingHere(import.meta.filename);
/** Where the pictures go, when they are asked for. */
const pictures = process.env["EXAMPLE_SCREENSHOTS"];

const desktop = { width: 1200, height: 820 };
const phone = { width: 390, height: 844 };

describe.skipIf(missing)("the example page", () => {
  let built: BuiltPackage;
  let example: RunningExample;
  let browser: Browser;

  beforeAll(async () => {
    built = await buildPackage();
    [example, browser] = await Promise.all([serveExample(built.entry, 0), launch()]);
  });
  afterAll(async () => {
    await browser?.close();
    await example?.close();
    await built?.remove();
  });

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const page = await (await browser.newContext({ viewport: desktop, ...options })).newPage();
    await page.goto(example.url);
    await untilTitled(page, "Signed out");
    return page;
  }

  const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
  const heading = (page: Page, name: string) => page.getByRole("heading", { name, level: 1 });
  const untilTitled = (page: Page, title: string) => heading(page, title).waitFor();
  const log = (page: Page) => page.getByRole("log").innerText();
  async function untilTold(page: Page, server: string, device: string) {
    await page.locator("#server-value", { hasText: server }).waitFor();
    await page.locator("#local-value", { hasText: device }).waitFor();
  }

  /** Presses Tab until a control has the focus, and then Enter. */
  async function tabTo(page: Page, name: string): Promise<void> {
    for (let press = 0; press < 20; press++) {
      await page.keyboard.press("Tab");
      const focused = await page.evaluate(() => document.activeElement?.textContent?.trim());
      if (focused === name) return page.keyboard.press("Enter");
    }
    throw new Error(`Nobody gets to "${name}" by Tab.`);
  }

  it("signs in and out by the keyboard alone, and says both facts", async () => {
    const page = await open();
    await tabTo(page, "Sign in");
    await untilTitled(page, "Signed in");
    await page.getByText("3f2b8a4e, verified").waitFor();
    // The next control is near: the focus was not lost with the button.
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Log out");
    await page.keyboard.press("Enter");
    await untilTitled(page, "Signed out");
    await untilTold(page, "Confirmed", "Cleared");
    expect(await log(page)).toContain("Logout confirmed");
    expect(example.provider.requests.at(-1)).toMatchObject({ path: "/v1/auth/logout", status: 200 });
  });

  it("keeps an ending while it is offline, and sends it when it is not any more", async () => {
    const page = await open();
    await button(page, "Sign in").click();
    await untilTitled(page, "Signed in");
    const asked = example.provider.requests.length;
    await page.getByLabel("Go offline").check();
    await button(page, "Log out").click();
    await untilTitled(page, "Signed out");
    await untilTold(page, "Unconfirmed", "Pending");
    expect(await page.getByRole("heading", { name: "Pending endings" }).innerText()).toMatch(/1$/);
    const pending = page.getByRole("list", { name: "Endings that the server has not confirmed" });
    expect(await pending.getByRole("listitem").allInnerTexts()).toEqual([expect.stringMatching(/^logout/)]);
    // It says that it sends nothing, and that is so.
    expect(example.provider.requests.length).toBe(asked);
    await page.getByLabel("Go offline").uncheck();
    await untilTold(page, "Confirmed", "Cleared");
    expect(await page.getByRole("heading", { name: "Pending endings" }).innerText()).toMatch(/0$/);
  });

  it("offers to revoke an authorization, and nothing else", async () => {
    const page = await open();
    await button(page, "Sign in").click();
    await untilTitled(page, "Signed in");
    expect(await button(page, "Revoke").isDisabled()).toBe(true);
    await button(page, "Log out").click();
    await button(page, "Sign in with OAuth").click();
    await untilTitled(page, "Signed in");
    await button(page, "Revoke").click();
    await untilTitled(page, "Signed out");
    await untilTold(page, "Confirmed", "Cleared");
    expect(await log(page)).toContain("Revocation confirmed");
  });

  it("tells why nobody is signed in", async () => {
    const page = await open();
    await page.getByLabel("Password").fill("wrong");
    await button(page, "Sign in").click();
    await page.getByRole("alert").getByText("The server refused.").waitFor();
    await page.getByLabel("Go offline").check();
    await button(page, "Sign in").click();
    await page.getByRole("alert").getByText("The server cannot be reached.").waitFor();
  });

  it("signs its second tab out, too", async () => {
    const page = await open();
    await button(page, "Sign in").click();
    await untilTitled(page, "Signed in");
    const opened = page.context().waitForEvent("page");
    await page.getByRole("link", { name: "Open a second tab" }).click();
    const second = await opened;
    await untilTitled(second, "Signed in");
    await button(page, "Log out").click();
    await untilTitled(second, "Signed out");
    expect(await log(second)).toContain("in another tab");
  });

  const looks = [
    { name: "light", colorScheme: "light", viewport: desktop },
    { name: "dark", colorScheme: "dark", viewport: desktop },
    { name: "light-phone", colorScheme: "light", viewport: phone },
    { name: "dark-phone", colorScheme: "dark", viewport: phone },
  ] as const;

  it.each(looks)("has no fault that axe finds, and fits its window: $name", async ({ name, ...look }) => {
    const page = await open(look);
    await checkUp(page);
    await button(page, "Sign in with OAuth").click();
    await page.getByText("3f2b8a4e, verified").waitFor();
    await checkUp(page);
    await button(page, "Revoke").click();
    await untilTold(page, "Confirmed", "Cleared");
    await button(page, "Sign in").click();
    await page.getByText("3f2b8a4e, verified").waitFor();
    await page.getByLabel("Go offline").check();
    await button(page, "Log out").click();
    await untilTold(page, "Unconfirmed", "Pending");
    await checkUp(page);
    if (!pictures) return;
    await page.screenshot({
      path: join(pictures, `example-${name}.png`),
      fullPage: look.viewport === desktop,
    });
  });

  async function checkUp(page: Page): Promise<void> {
    await page.evaluate(
      await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"),
    );
    const faults = await page.evaluate("axe.run().then(({ violations }) => violations)");
    expect(faults).toEqual([]);
    const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(tooWide).toBeLessThanOrEqual(0);
  }
});
