/** The back end for a front end of `examples/sveltekit`, built for deployment, in Chromium. */
import { execFileSync, spawn } from "node:child_process";
import { expect, inject, it } from "vitest";
import { type Application, describeApplication, submit, untilShows } from "./application.ts";
import { until } from "./scenarios/scenario.ts";

async function start({ home, program: vite, api, port, url, provider }: Application) {
  const env = { ...process.env, BAANX_SESSION: inject("entry") };
  execFileSync(vite, ["build", "--logLevel", "error"], { cwd: home, env });
  const settings = { BAANX_BASE_URL: api, BAANX_CLIENT_KEY: provider.clientKey, MOST_SESSIONS: "2" };
  return spawn(process.execPath, ["build"], {
    cwd: home,
    env: { ...process.env, ...settings, HOST: "127.0.0.1", PORT: port, ORIGIN: url },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

describeApplication("sveltekit", "vite", start, (application) => {
  it("signs in and out in all tabs, and keeps tokens out of the browser", async () => {
    const { url, engine, provider } = application;
    const profile = await engine.newProfile();
    const tab = await profile.open(url);
    await untilShows(tab, "Signed out");
    await submit(tab, { email: provider.user.email, password: "wrong" });
    await until(tab, () => document.querySelector('[role="alert"]') !== null, undefined);
    await submit(tab, { email: provider.user.email, password: provider.user.password });
    await untilShows(tab, `Signed in as ${provider.user.email}`);
    // The prefix of every sandbox token. SvelteKit itself stores scroll positions there.
    const inReach = await tab.run(() => [document.cookie, { ...localStorage }, { ...sessionStorage }]);
    expect(JSON.stringify(inReach)).not.toContain("sandbox-");
    expect(inReach[0]).toBe("");
    expect(await tab.run(() => document.documentElement.outerHTML)).not.toContain("sandbox-");
    const other = await profile.open(url);
    await untilShows(other, `Signed in as ${provider.user.email}`);

    await submit(tab);
    await untilShows(tab, "Signed out");
    expect(await tab.run(() => document.querySelector('[role="status"]')?.textContent)).toBe(
      "The server says: confirmed",
    );
    await other.visit(url);
    await untilShows(other, "Signed out");
    expect(provider.requests.filter(({ path }) => path === "/v1/auth/logout")).toMatchObject([
      { status: 200 },
    ]);
    await profile.close();
  });

  /** Sends the form of the page without a browser. */
  const post = (action: string, fields: Record<string, string>, cookie = "") =>
    fetch(`${application.url}/?/${action}`, {
      method: "POST",
      headers: { origin: application.url, cookie },
      body: new URLSearchParams(fields),
      redirect: "manual",
    });

  it("keeps a number of sessions, and ends the oldest one on the server beyond that", async () => {
    const { url, provider } = application;
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
    application.provider.misbehave({ path: "/v1/auth/login", drop: true, times: 1 });
    const response = await post("login", { email: "a@example.com", password: "b" });
    expect(await response.text()).toContain("You could not be signed in.");
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  it("refuses a form of another site", async () => {
    const init = { method: "POST", headers: { origin: "https://elsewhere.example" }, body: new FormData() };
    expect((await fetch(`${application.url}/?/logout`, init)).status).toBe(403);
  });
});
