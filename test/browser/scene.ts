/** What each file of browser tests sets up: the site, Chromium as the system has it, and pages of the one in the other. */
import { existsSync } from "node:fs";
import { relative } from "node:path";
import { type Browser, type BrowserContext, chromium, type LaunchOptions, type Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { openSite, type Site } from "./site.ts";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

export interface Scene {
  /** Why there are no tests. */
  missing: string | undefined;
  readonly site: Site;
  readonly browser: Browser;
  /** A page of the application, in a profile of its own if no context is given. */
  openApp(context?: BrowserContext): Promise<Page>;
  goToApp(page: Page): Promise<void>;
  /** Signs a user in, by default the one who always exists, and returns the access token. */
  signIn(page: Page, userId?: string): Promise<string>;
}

/** To be called at the top of a file: what is opened is open before its tests, and closed after them. */
export function useScene(file: string, options: LaunchOptions = {}): Scene {
  const missing = missingHere(file);

  let opened: { site: Site; browser: Browser } | undefined;
  const scene = () => {
    if (!opened) throw new Error("The scene is open in tests only.");
    return opened;
  };
  beforeAll(async () => {
    if (missing) return;
    const [site, browser] = await Promise.all([openSite(), launch(options)]);
    opened = { site, browser };
  });
  afterAll(async () => {
    await opened?.browser.close();
    await opened?.site.close();
  });

  const goToApp = async (page: Page) => {
    await page.goto(`${scene().site.pages}/app`);
    await untilReady(page);
  };
  return {
    missing,
    get site() {
      return scene().site;
    },
    get browser() {
      return scene().browser;
    },
    async openApp(context) {
      const page = await (context ?? (await scene().browser.newContext())).newPage();
      await goToApp(page);
      return page;
    },
    goToApp,
    async signIn(page, userId) {
      const tokens = scene().site.provider.login(userId);
      await page.evaluate((given) => window.session.start({ ...given, grant: "login" }), tokens);
      return tokens.accessToken;
    },
  };
}

/** Why there are no tests, said once for a whole file. */
export function missingHere(file: string): string | undefined {
  if (existsSync(executablePath)) return undefined;
  const missing = `there is no ${executablePath}: install Debian's chromium, or say in CHROMIUM where it is`;
  process.stderr.write(`${relative(process.cwd(), file)}: skipped, since ${missing}\n`);
  return missing;
}

export function launch({ args = [], ...options }: LaunchOptions = {}): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-background-networking", ...args],
    ...options,
  });
}

/** Until its session has read the store and tried what was pending. */
export async function untilReady(page: Page): Promise<void> {
  await page.waitForFunction(() => document.title === "ready");
}

/** What the session of a page says of itself. */
export const stateOf = (page: Page) =>
  page.evaluate(() => ({ state: window.session.state, pending: window.session.pending }));

/** What the session of a page has told last, without its words. */
/** The last event of a page, or the last of a type. */
export const lastEvent = (page: Page, of?: string) =>
  page.evaluate((wanted) => {
    const events = window.events.filter(({ type }) => !wanted || type === wanted);
    const { type, reason, end } = events.at(-1) ?? {};
    return { type, ...(reason && { reason }), ...(end && { server: end.server, code: end.error?.code }) };
  }, of);

export const untilState = (page: Page, state: string, pending = 0) =>
  page.waitForFunction(
    (expected) => window.session.state === expected.state && window.session.pending === expected.pending,
    { state, pending },
  );
