/** Chromium and Firefox with Puppeteer, over the DevTools protocol and WebDriver BiDi. */
import { type BrowserContext, type LaunchOptions, launch, type Page } from "puppeteer-core";
import {
  cannot,
  type Engine,
  type EngineName,
  type Profile,
  type ProfileOptions,
  type Tab,
} from "./engine.ts";
import { binaryOf } from "./installed.ts";

/** Chromium's profiles are incognito windows, except for a profile with a folder. */
export const launchChromium = () =>
  launchEngine("Chromium", ({ folder }) => ({
    browser: "chrome",
    ...(folder && { userDataDir: folder }),
    args: ["--no-sandbox", "--disable-background-networking"],
    // Like real tabs: in the back-forward cache, and hidden behind others.
    ignoreDefaultArgs: [
      "--disable-back-forward-cache",
      "--disable-background-timer-throttling",
      "--disable-backgrounding-occluded-windows",
      "--disable-renderer-backgrounding",
    ],
  }));

/** Firefox's profiles are containers of one browser, which are not private. */
export const launchFirefox = () =>
  launchEngine("Firefox", ({ folder, isPrivate = false, isDark = false }) => ({
    browser: "firefox",
    ...(folder && { userDataDir: folder }),
    extraPrefsFirefox: {
      "browser.privatebrowsing.autostart": isPrivate,
      // The default is 8 pages over all tabs, including closed tabs for a while.
      "browser.sessionhistory.max_total_viewers": 1_000,
      "layout.css.prefers-color-scheme.content-override": isDark ? 0 : 1,
    },
  }));

async function launchEngine(
  name: EngineName,
  optionsOf: (profile: ProfileOptions) => LaunchOptions,
): Promise<Engine> {
  const start = (profile: ProfileOptions) =>
    // Under ten times the possible load, Firefox took 34 s. The default timeout is 30 s.
    launch({ executablePath: binaryOf(name), timeout: 90_000, ...optionsOf(profile) });
  const browser = await start({});
  return {
    name,
    version: (await browser.version()).replace(/^.*\//, ""),
    async newProfile(options = {}) {
      const { folder, isPrivate, isDark = false } = options;
      if (folder !== undefined || (name === "Firefox" && (isPrivate || isDark))) {
        const own = await start(options);
        return profileOf(name, isDark, own.defaultBrowserContext(), () => own.close());
      }
      const context = await browser.createBrowserContext();
      return profileOf(name, isDark, context, () => context.close());
    },
    close: () => browser.close(),
  };
}

function profileOf(
  name: EngineName,
  isDark: boolean,
  context: BrowserContext,
  close: () => Promise<void>,
): Profile {
  return {
    async open(url) {
      const page = await context.newPage();
      if (name === "Chromium" && isDark)
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
      await page.goto(url);
      return tabOf(name, context, page);
    },
    async setOffline(isOffline) {
      for (const page of await context.pages()) await page.setOfflineMode(isOffline);
    },
    close,
  };
}

function tabOf(name: EngineName, context: BrowserContext, page: Page): Tab {
  const setLifecycle = async (state: "frozen" | "active") => {
    const devtools = await page.createCDPSession();
    await devtools.send("Page.setWebLifecycleState", { state });
    await devtools.detach();
  };
  const hide = async () => void (await context.newPage());
  return {
    visit: async (to) => void (await page.goto(to)),
    run: (script: (given: unknown) => unknown, given?: unknown) => page.evaluate(script, given),
    hide,
    async show() {
      if (name === "Chromium") await setLifecycle("active");
      await page.bringToFront();
    },
    async freeze() {
      if (name !== "Chromium") await cannot(name, "freeze a tab")();
      // A visible page does not freeze.
      await hide();
      await setLifecycle("frozen");
    },
    async forceColours() {
      if (name !== "Chromium") await cannot(name, "force colours")();
      const devtools = await page.createCDPSession();
      const features = [{ name: "forced-colors", value: "active" }];
      await devtools.send("Emulation.setEmulatedMedia", { features });
    },
    async press(key) {
      if (key !== "Shift+Tab") return page.keyboard.press(key);
      await page.keyboard.down("Shift");
      await page.keyboard.press("Tab");
      await page.keyboard.up("Shift");
    },
    resize: (width, height) => page.setViewport({ width, height }),
    picture: () => page.screenshot(),
    close: () => page.close(),
  } as Tab;
}
