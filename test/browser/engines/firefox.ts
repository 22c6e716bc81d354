/** Firefox, by Puppeteer over WebDriver BiDi. Its profiles are containers of one browser, which are not private. */
import { type BrowserContext, launch, type Page } from "puppeteer-core";
import { cannot, type Engine, type Profile, type ProfileOptions, type Tab } from "./engine.ts";
import { binaryOf } from "./installed.ts";

const start = ({ folder, isPrivate = false }: ProfileOptions) =>
  launch({
    browser: "firefox",
    executablePath: binaryOf("Firefox"),
    ...(folder && { userDataDir: folder }),
    extraPrefsFirefox: { "browser.privatebrowsing.autostart": isPrivate },
  });

export async function launchFirefox(): Promise<Engine> {
  const browser = await start({});
  return {
    name: "Firefox",
    version: (await browser.version()).replace("firefox/", ""),
    async newProfile(options = {}) {
      if (!options.folder && !options.isPrivate) {
        const context = await browser.createBrowserContext();
        return profileOf(context, () => context.close());
      }
      const own = await start(options);
      return profileOf(own.defaultBrowserContext(), () => own.close());
    },
    close: () => browser.close(),
  };
}

function profileOf(context: BrowserContext, close: () => Promise<void>): Profile {
  return {
    open: (url) => openTab(context, url),
    async setOffline(isOffline) {
      for (const page of await context.pages()) await page.setOfflineMode(isOffline);
    },
    close,
  };
}

async function openTab(context: BrowserContext, url: string): Promise<Tab> {
  const page: Page = await context.newPage();
  await page.goto(url);
  return {
    visit: async (to) => void (await page.goto(to)),
    run: (script: (given: unknown) => unknown, given?: unknown) => page.evaluate(script, given),
    hide: async () => void (await context.newPage()),
    show: () => page.bringToFront(),
    freeze: cannot("Firefox", "freeze a tab"),
    close: () => page.close(),
  } as Tab;
}
