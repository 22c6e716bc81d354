/** Runs an example application, built and started as it is deployed, over the sandbox and in Chromium. */
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, vi } from "vitest";
import { createSandboxApp, type SandboxApp } from "../../src/sandbox/sandbox.ts";
import { type RunningServer, startServer } from "../../src/sandbox/server.ts";
import { freePort } from "../free-port.ts";
import type { Engine, Tab } from "./engines/engine.ts";
import { missingHere } from "./engines/installed.ts";
import { launchChromium } from "./engines/puppeteer.ts";
import { until } from "./scenarios/scenario.ts";

export interface Application {
  /** The folder of the example. */
  home: string;
  /** The command of its framework. */
  program: string;
  provider: SandboxApp;
  /** The address of the provider. */
  api: string;
  port: string;
  url: string;
  engine: Engine;
}

/**
 * Describes an example with its command, such as `next`. Skips the tests if the command or Chromium is not installed.
 *
 * @param start - builds the application, and starts it at the port
 */
export function describeApplication(
  name: string,
  command: string,
  start: (application: Application) => Promise<ChildProcess>,
  tests: (application: Application) => void,
): void {
  const home = resolve(import.meta.dirname, "../../examples", name);
  const program = join(home, "node_modules", ".bin", command);
  const missing =
    missingHere("Chromium") ?? (existsSync(program) ? undefined : `npm ci --prefix examples/${name}`);
  describe.skipIf(missing)(missing ? `skipped: ${missing}` : `examples/${name}`, () => {
    const application = { home, program } as Application;
    let api: RunningServer;
    let server: ChildProcess;

    beforeAll(async () => {
      application.provider = createSandboxApp();
      api = await startServer(application.provider);
      application.api = api.url;
      application.port = String(await freePort());
      application.url = `http://localhost:${application.port}`;
      server = await start(application);
      application.engine = await launchChromium();
      await vi.waitFor(() => fetch(application.url), { timeout: 60_000, interval: 100 });
    }, 300_000);
    afterAll(async () => {
      server?.kill();
      await application.engine?.close();
      await api?.close();
    });

    tests(application);
  });
}

/** Waits until the element `state` of the page has this text. */
export const untilShows = (tab: Tab, text: string) =>
  until(tab, (expected) => document.getElementById("state")?.textContent?.trim() === expected, text);

/** Fills in the form of the page, and presses its first button. */
export const submit = (tab: Tab, fields: Record<string, string> = {}) =>
  tab.run((given) => {
    for (const [name, value] of Object.entries(given)) {
      const field = document.querySelector<HTMLInputElement>(`[name="${name}"]`);
      if (field) field.value = value;
    }
    document.querySelector("button")?.click();
  }, fields);
