/** The back end for a front end of `examples/sveltekit`, built as it is deployed, in Chromium. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createSandboxApp, type SandboxApp } from "../../src/sandbox/sandbox.ts";
import { type RunningServer, startServer } from "../../src/sandbox/server.ts";
import { freePort } from "../free-port.ts";
import type { Engine, Tab } from "./engines/engine.ts";
import { missingHere } from "./engines/installed.ts";
import { launchChromium } from "./engines/puppeteer.ts";
import { until } from "./scenarios/scenario.ts";

const home = resolve(import.meta.dirname, "../../examples/sveltekit");
const vite = join(home, "node_modules", ".bin", "vite");
const missing =
  missingHere("Chromium") ?? (existsSync(vite) ? undefined : "npm ci --prefix examples/sveltekit");

describe.skipIf(missing)(missing ? `skipped: ${missing}` : "the back end in SvelteKit", () => {
  let provider: SandboxApp;
  let api: RunningServer;
  let backEnd: ChildProcess;
  let engine: Engine;
  let url: string;

  beforeAll(async () => {
    execFileSync(vite, ["build", "--logLevel", "error"], {
      cwd: home,
      env: { ...process.env, BAANX_SESSION: inject("entry") },
    });
    provider = createSandboxApp();
    api = await startServer(provider);
    const port = await freePort();
    url = `http://localhost:${port}`;
    const settings = { BAANX_BASE_URL: api.url, BAANX_CLIENT_KEY: provider.clientKey, MOST_SESSIONS: "2" };
    backEnd = spawn(process.execPath, ["build"], {
      cwd: home,
      env: { ...process.env, ...settings, HOST: "127.0.0.1", PORT: `${port}`, ORIGIN: url },
      stdio: ["ignore", "pipe", "inherit"],
    });
    await Promise.all([backEnd.stdout && once(backEnd.stdout, "data"), launchChromium().then(keep)]);
  });
  const keep = (launched: Engine) => {
    engine = launched;
  };
  afterAll(async () => {
    backEnd?.kill();
    await engine?.close();
    await api?.close();
  });

  it("signs in and out in all tabs, and no token is in the browser", async () => {
    const profile = await engine.newProfile();
    const tab = await profile.open(url);
    await untilSays(tab, "Signed out");
    await submit(tab, { email: provider.user.email, password: "wrong" });
    await until(tab, () => document.querySelector('[role="alert"]') !== null, undefined);
    await submit(tab, { email: provider.user.email, password: provider.user.password });
    await untilSays(tab, `Signed in as ${provider.user.email}`);
    // Every token of the sandbox begins so; SvelteKit itself notes there where a page was scrolled to.
    const inReach = await tab.run(() => [document.cookie, { ...localStorage }, { ...sessionStorage }]);
    expect(JSON.stringify(inReach)).not.toContain("sandbox-");
    expect(inReach[0]).toBe("");
    expect(await tab.run(() => document.documentElement.outerHTML)).not.toContain("sandbox-");
    const other = await profile.open(url);
    await untilSays(other, `Signed in as ${provider.user.email}`);

    await submit(tab, {});
    await untilSays(tab, "Signed out");
    expect(await tab.run(() => document.querySelector('[role="status"]')?.textContent)).toBe(
      "The server says: confirmed",
    );
    await other.visit(url);
    await untilSays(other, "Signed out");
    expect(provider.requests.filter(({ path }) => path === "/v1/auth/logout")).toMatchObject([
      { status: 200 },
    ]);
    await profile.close();
  });

  /** Sends the form of the page without a browser. */
  const post = (action: string, fields: Record<string, string>, cookie = "") =>
    fetch(`${url}/?/${action}`, {
      method: "POST",
      headers: { origin: url, cookie },
      body: new URLSearchParams(fields),
      redirect: "manual",
    });

  it("keeps a number of sessions, and ends the oldest one on the server beyond that", async () => {
    const { email, password } = provider.user;
    const cookies: string[] = [];
    for (let count = 0; count < 3; count++)
      cookies.push((await post("login", { email, password })).headers.getSetCookie()[0] ?? "");
    for (const cookie of cookies)
      expect(cookie).toMatch(/^session=[\w-]{43}; Path=\/; HttpOnly; .*SameSite=Strict$/i);
    const isSignedIn = async (cookie: string | undefined) =>
      (await (await fetch(url, { headers: { cookie: cookie?.split(";")[0] ?? "" } })).text()).includes(
        "Signed in",
      );
    await expect.poll(async () => Promise.all(cookies.map(isSignedIn))).toEqual([false, true, true]);
    expect(provider.requests.filter(({ path }) => path === "/v1/auth/logout").at(-1)?.status).toBe(200);
  });

  it("shows a problem, and no session, after a login that the API does not answer", async () => {
    provider.misbehave({ path: "/v1/auth/login", drop: true, times: 1 });
    const response = await post("login", { email: "a@example.com", password: "b" });
    expect(await response.text()).toContain("You could not be signed in.");
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  it("refuses a form of another site", async () => {
    const init = { method: "POST", headers: { origin: "https://elsewhere.example" }, body: new FormData() };
    expect((await fetch(`${url}/?/logout`, init)).status).toBe(403);
  });
});

const untilSays = (tab: Tab, text: string) =>
  until(tab, (expected) => document.getElementById("state")?.textContent === expected, text);

/** Fills in the form of the page, and sends it as a person does. */
const submit = (tab: Tab, fields: Record<string, string>) =>
  tab.run((given) => {
    for (const [name, value] of Object.entries(given)) {
      const field = document.querySelector<HTMLInputElement>(`[name="${name}"]`);
      if (field) field.value = value;
    }
    document.querySelector("button")?.click();
  }, fields);
