/** Chromium, by Playwright. Its profiles are those of incognito windows, but for one with a folder. */
import { type BrowserContext, type CDPSession, chromium, type LaunchOptions } from "playwright-core";
import type { Engine, Profile, Tab } from "./engine.ts";
import { binaryOf } from "./installed.ts";

const options: LaunchOptions = {
  executablePath: binaryOf("Chromium"),
  args: ["--no-sandbox", "--disable-background-networking"],
  // Playwright turns the back-forward cache off; people have it on.
  ignoreDefaultArgs: ["--disable-back-forward-cache"],
};

export async function launchChromium(): Promise<Engine> {
  const browser = await chromium.launch(options);
  return {
    name: "Chromium",
    version: browser.version(),
    newProfile: async ({ folder } = {}) =>
      profileOf(
        folder === undefined
          ? await browser.newContext()
          : await chromium.launchPersistentContext(folder, options),
      ),
    close: () => browser.close(),
  };
}

function profileOf(context: BrowserContext): Profile {
  return {
    open: (url) => openTab(context, url),
    setOffline: (isOffline) => context.setOffline(isOffline),
    close: () => context.close(),
  };
}

async function openTab(context: BrowserContext, url: string): Promise<Tab> {
  const page = await context.newPage();
  const devtools: CDPSession = await context.newCDPSession(page);
  // Else every tab believes that it is in front.
  await devtools.send("Emulation.setFocusEmulationEnabled", { enabled: false });
  const setLifecycle = (state: "frozen" | "active") => devtools.send("Page.setWebLifecycleState", { state });
  await page.goto(url);
  return {
    visit: async (to) => void (await page.goto(to)),
    run: (script: (given: unknown) => unknown, given?: unknown) => page.evaluate(script, given),
    hide: async () => void (await context.newPage()),
    async show() {
      await setLifecycle("active");
      await page.bringToFront();
    },
    freeze: async () => void (await setLifecycle("frozen")),
    close: () => page.close(),
  } as Tab;
}
