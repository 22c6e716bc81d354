/**
 * WebKit in WebKitGTK's MiniBrowser, with WebDriver. It lacks a headless mode, so it gets its own screen. All its windows
 * are private, and visible at the same time.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { Builder, Capabilities, Key, type WebDriver } from "selenium-webdriver";
import { vi } from "vitest";
import { freePort } from "../../free-port.ts";
import { cannot, type Engine, type Profile, type Tab } from "./engine.ts";
import { binaryOf, miniBrowser } from "./installed.ts";

export async function launchWebKit(): Promise<Engine> {
  const started: ChildProcess[] = [];
  try {
    return await launchWith(started);
  } catch (error) {
    await stop(started);
    throw error;
  }
}

/** @param started - receives each process, the last one first */
async function launchWith(started: ChildProcess[]): Promise<Engine> {
  const screen = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1400x1000x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  started.unshift(screen);
  // An error of the process rejects, too, and a deadline of the tests ends the wait for a line.
  const end = once(screen, "exit").then(() => Promise.reject(new Error("Xvfb has ended.")));
  const [display] = await Promise.race([once(createInterface(screen.stdio[3] as Readable), "line"), end]);
  end.catch(() => {});
  const port = await freePort();
  const env = {
    ...process.env,
    DISPLAY: `:${display}`,
    LIBGL_ALWAYS_SOFTWARE: "1",
    // The sandbox needs user namespaces, which it cannot use as root.
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
  };
  const driver = spawn(binaryOf("WebKit"), ["--host=127.0.0.1", `--port=${port}`], { env, stdio: "ignore" });
  started.unshift(driver);
  const url = `http://127.0.0.1:${port}`;
  await vi.waitFor(() => fetch(`${url}/status`), { timeout: TIMEOUT_MS, interval: 25 });

  const session = new Builder().usingServer(url).withCapabilities(capabilities).build();
  const browser = await bounded("newSession", session.getCapabilities());
  boundEach(session);
  const newProfile = await createProfiles(session);
  return {
    name: "WebKit",
    version: String(browser.get("browserVersion")),
    newProfile: async ({ isDark = false } = {}) => (isDark ? cannot("WebKit", "be dark")() : newProfile()),
    async close() {
      await session.quit().catch(() => {});
      await stop(started);
    },
  };
}

async function stop(processes: ChildProcess[]): Promise<void> {
  for (const child of processes) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) continue;
    const exit = once(child, "exit");
    // A hanging browser does not end with its driver.
    const own = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").catch(() => "");
    for (const pid of own.split(" ").filter(Boolean)) kill(Number(pid));
    child.kill();
    await exit;
  }
}

/** Kills a process, unless it has just ended. */
function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The timeout of a command, in ms. Under ten times the possible load, commands took at most 8 s. */
const TIMEOUT_MS = 60_000;

class Unanswered extends Error {}

function bounded<Result>(name: string, command: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Unanswered(`WebKitWebDriver has not answered "${name}" in ${TIMEOUT_MS / 1_000} s.`);
    timer = setTimeout(() => reject(error), TIMEOUT_MS);
  });
  return Promise.race([command, late]).finally(() => clearTimeout(timer));
}

/** After one command without an answer, every later command fails at once, with the reason. */
function boundEach(session: WebDriver): void {
  const execute = session.execute.bind(session);
  let silence: Unanswered | undefined;
  session.execute = async (command) => {
    if (silence) throw silence;
    try {
      return await bounded(command.getName(), execute(command));
    } catch (error) {
      if (error instanceof Unanswered) silence = error;
      throw error;
    }
  };
}

const capabilities = new Capabilities({
  browserName: "MiniBrowser",
  "webkitgtk:browserOptions": { binary: miniBrowser, args: ["--automation"] },
});

/** Runs commands in one window at a time. */
type InWindow = <Result>(handle: string, command: () => Promise<Result>) => Promise<Result>;

/** All profiles share the one session of WebDriver. Each clears its storage. */
async function createProfiles(session: WebDriver): Promise<() => Profile> {
  // This window stays open, because the session ends with the last window.
  const ground = await session.getWindowHandle();
  let turn: Promise<unknown> = Promise.resolve();
  const inWindow: InWindow = (handle, command) => {
    const result = turn.then(async () => {
      await session.switchTo().window(handle);
      return command();
    });
    turn = result.catch(() => {});
    return result;
  };
  return () => {
    const origins = new Set<string>();
    const opened: string[] = [];
    return {
      async open(url) {
        origins.add(new URL(url).origin);
        const handle = await inWindow(ground, async () => {
          await session.switchTo().newWindow("window");
          await session.get(url);
          return session.getWindowHandle();
        });
        opened.push(handle);
        return tabOf(session, handle, inWindow);
      },
      setOffline: cannot("WebKit", "go offline"),
      async close() {
        for (const handle of opened) await inWindow(handle, () => session.close()).catch(() => {});
        await inWindow(ground, async () => {
          for (const origin of origins) {
            await session.get(`${origin}/nothing`);
            await session.executeScript("localStorage.clear()");
          }
          await session.get("about:blank");
        });
      },
    };
  };
}

function tabOf(session: WebDriver, handle: string, inWindow: InWindow): Tab {
  const size = { x: 0, y: 0, width: 1200, height: 900 };
  return {
    visit: (url) => inWindow(handle, () => session.get(url)),
    /** Lets other commands run while the page's promise is pending. */
    async run(script: (given: unknown) => unknown, given?: unknown) {
      const ask = (text: string, argument: unknown) =>
        inWindow(handle, () => session.executeScript<Outcome | null>(text, argument));
      const begun = await ask(begin(`${script}`), given);
      let outcome = begun?.run === undefined ? begun : null;
      while (!outcome) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        outcome = await ask(ASK, begun?.run);
      }
      const { json, error } = outcome;
      if (error !== undefined) throw new Error(error);
      return typeof json === "string" ? JSON.parse(json) : undefined;
    },
    hide: () => inWindow(handle, () => session.manage().window().minimize()),
    show: () => inWindow(handle, async () => void (await session.manage().window().setRect(size))),
    freeze: cannot("WebKit", "freeze a tab"),
    forceColours: cannot("WebKit", "force colours"),
    press: (key) =>
      inWindow(handle, () => {
        const actions = session.actions();
        if (key === "Shift+Tab")
          return actions.keyDown(Key.SHIFT).sendKeys(Key.TAB).keyUp(Key.SHIFT).perform();
        return actions.sendKeys({ Tab: Key.TAB, Enter: Key.ENTER, " ": Key.SPACE }[key]).perform();
      }),
    resize: (width, height) =>
      inWindow(handle, async () => {
        // Adds the frame and the bars of the window.
        const bars = await session.executeScript<[number, number]>(
          "return [outerWidth - innerWidth, outerHeight - innerHeight]",
        );
        const outer = { width: width + bars[0], height: height + bars[1] };
        await session
          .manage()
          .window()
          .setRect({ x: 0, y: 0, ...outer });
      }),
    picture: async () => Buffer.from(await inWindow(handle, () => session.takeScreenshot()), "base64"),
    close: () => inWindow(handle, () => session.close()),
  } as Tab;
}

/** The result of a function in the page, or the number under which to request it. */
interface Outcome {
  json?: string | null;
  error?: string;
  run?: number;
}

/** Starts a function of the page. */
const begin = (script: string) => `
  const settle = (promise) => {
    const run = { outcome: null };
    (window.__runs ??= []).push(run);
    promise.then(
      (value) => { run.outcome = { json: JSON.stringify(value) }; },
      (error) => { run.outcome = { error: String(error?.message ?? error) }; },
    );
    return { run: window.__runs.length - 1 };
  };
  try {
    const value = (${script})(arguments[0]);
    return typeof value?.then === "function" ? settle(value) : { json: JSON.stringify(value) };
  } catch (error) {
    return { error: String(error?.message ?? error) };
  }`;

/** Returns the result of a started function, or null. */
const ASK = `
  const runs = window.__runs;
  return runs ? runs[arguments[0]].outcome : { error: "The page was left." };`;
