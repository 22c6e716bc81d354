/** The application of `examples/nextjs`, built and started as it is deployed, in Chromium. */
import { execFile, spawn } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, inject, it, vi } from "vitest";
import { type Application, describeApplication, submit, untilShows } from "./application.ts";

async function start({ home, program: next, api, port, provider }: Application) {
  // The package as it is published, and its dependency, where `npm install` would put them.
  for (const name of ["baanx-session", "openapi-fetch"]) {
    const target = join(home, "node_modules", name);
    rmSync(target, { recursive: true, force: true });
    cpSync(resolve(dirname(inject("entry")), "..", "..", name), target, { recursive: true });
  }
  const env = {
    ...process.env,
    NEXT_TELEMETRY_DISABLED: "1",
    NEXT_PUBLIC_BAANX_BASE_URL: api,
    NEXT_PUBLIC_BAANX_CLIENT_KEY: provider.clientKey,
    BAANX_BASE_URL: api,
    BAANX_CLIENT_KEY: provider.clientKey,
    BAANX_SECRET_KEY: provider.secretKey,
  };
  await promisify(execFile)(next, ["build"], { cwd: home, env });
  return spawn(next, ["start", "--port", port], { cwd: home, env, stdio: "ignore" });
}

describeApplication("nextjs", "next", start, (application) => {
  it("hydrates the page that was rendered without a user, and signs in and out in all tabs", async () => {
    const { url, engine, provider } = application;
    expect(await (await fetch(url)).text()).toContain("restoring");
    const profile = await engine.newProfile();
    const tab = await profile.open(url);
    await untilShows(tab, "signed-out");
    const { email, password } = provider.user;
    await submit(tab, { email, password });
    await untilShows(tab, `active ${provider.user.id}`);
    const other = await profile.open(url);
    await untilShows(other, `active ${provider.user.id}`);

    await submit(tab);
    await untilShows(tab, "signed-out");
    await untilShows(other, "signed-out");
    await vi.waitFor(() =>
      expect(provider.requests.filter(({ path }) => path === "/v1/auth/logout")).toMatchObject([
        { status: 200 },
      ]),
    );
    await profile.close();
  });

  it("renews for its own pages, refuses a spent refresh token, and refuses other sites", async () => {
    const { url, provider } = application;
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
