/** The application of `examples/nextjs`, built and started as it is deployed, in Chromium. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cpSync, existsSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { createSandboxApp, type SandboxApp } from "../../src/sandbox/sandbox.ts";
import { type RunningServer, startServer } from "../../src/sandbox/server.ts";
import { freePort } from "../free-port.ts";
import type { Engine, Tab } from "./engines/engine.ts";
import { missingHere } from "./engines/installed.ts";
import { launchChromium } from "./engines/puppeteer.ts";
import { until } from "./scenarios/scenario.ts";

const home = resolve(import.meta.dirname, "../../examples/nextjs");
const next = join(home, "node_modules", ".bin", "next");
const missing = missingHere("Chromium") ?? (existsSync(next) ? undefined : "npm ci --prefix examples/nextjs");

describe.skipIf(missing)(missing ? `skipped: ${missing}` : "the application in Next.js", () => {
  let provider: SandboxApp;
  let api: RunningServer;
  let server: ChildProcess;
  let engine: Engine;
  let url: string;

  beforeAll(async () => {
    // The package as it is published, and its dependency, where `npm install` would put them.
    for (const name of ["baanx-session", "openapi-fetch"]) {
      const target = join(home, "node_modules", name);
      rmSync(target, { recursive: true, force: true });
      cpSync(resolve(dirname(inject("entry")), "..", "..", name), target, { recursive: true });
    }
    provider = createSandboxApp();
    api = await startServer(provider);
    const env = {
      ...process.env,
      NEXT_TELEMETRY_DISABLED: "1",
      NEXT_PUBLIC_BAANX_BASE_URL: api.url,
      NEXT_PUBLIC_BAANX_CLIENT_KEY: provider.clientKey,
      BAANX_BASE_URL: api.url,
      BAANX_CLIENT_KEY: provider.clientKey,
      BAANX_SECRET_KEY: provider.secretKey,
    };
    await promisify(execFile)(next, ["build"], { cwd: home, env });
    const port = await freePort();
    url = `http://localhost:${port}`;
    server = spawn(next, ["start", "--port", `${port}`], { cwd: home, env, stdio: "ignore" });
    engine = await launchChromium();
    await vi.waitFor(() => fetch(url), { timeout: 60_000, interval: 100 });
  }, 300_000);
  afterAll(async () => {
    server?.kill();
    await engine?.close();
    await api?.close();
  });

  it("hydrates the page that was rendered without a user, and signs in and out in all tabs", async () => {
    expect(await (await fetch(url)).text()).toContain("restoring");
    const profile = await engine.newProfile();
    const tab = await profile.open(url);
    await untilSays(tab, "signed-out");
    await tab.run(({ email, password }) => {
      const fill = (name: string, value: string) => {
        const field = document.querySelector<HTMLInputElement>(`[name="${name}"]`);
        if (field) field.value = value;
      };
      fill("email", email);
      fill("password", password);
      document.querySelector("button")?.click();
    }, provider.user);
    await untilSays(tab, `active ${provider.user.id}`);
    const other = await profile.open(url);
    await untilSays(other, `active ${provider.user.id}`);

    await tab.run(() => document.querySelector("button")?.click());
    await untilSays(tab, "signed-out");
    await untilSays(other, "signed-out");
    await vi.waitFor(() =>
      expect(provider.requests.filter(({ path }) => path === "/v1/auth/logout")).toMatchObject([
        { status: 200 },
      ]),
    );
    await profile.close();
  });

  it("renews for its own pages, refuses a spent refresh token, and refuses other sites", async () => {
    const { refreshToken } = provider.authorize();
    const renew = async (site: string) => {
      const response = await fetch(`${url}/auth/renew`, {
        method: "POST",
        headers: { "sec-fetch-site": site },
        body: JSON.stringify({ refreshToken }),
      });
      return { status: response.status, ...(await response.json()) };
    };
    expect(await renew("cross-site")).toEqual({ status: 403, error: "another site" });
    expect(await renew("same-origin")).toMatchObject({ status: 200, expiresIn: expect.any(Number) });
    expect(await renew("same-origin")).toEqual({ status: 401, error: "refused" });
  });
});

const untilSays = (tab: Tab, text: string) =>
  until(tab, (expected) => document.getElementById("state")?.textContent?.trim() === expected, text);
