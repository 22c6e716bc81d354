/**
 * `npm start` as a user sees it: exit codes and lines. The provider of each run is the sandbox, over TCP. A broken provider
 * shows that the demo can fail.
 */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { runHere } from "../contracts/fixtures/here.ts";
import { runDemo } from "../scripts/demo-steps.ts";
import { createSandboxApp, type Fault, type SandboxApp } from "../src/sandbox/sandbox.ts";
import { serve } from "./support.ts";

// A process starts slowly on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

let provider: SandboxApp;
let url: string;
beforeEach(async () => {
  provider = createSandboxApp();
  ({ url } = await serve(provider));
});

const demo = (args: readonly string[] = [], variables: Record<string, string> = {}) =>
  runHere("demo", args, variables);

const live = (accessToken: string, variables: Record<string, string> = {}) => ({
  BAANX_BASE_URL: url,
  BAANX_CLIENT_KEY: provider.clientKey,
  BAANX_ACCESS_TOKEN: accessToken,
  ...variables,
});

describe("the demo", () => {
  it("succeeds with the sandbox, names it first, and does not print tokens", async () => {
    const { code, out, err } = await demo();
    expect(err).toBe("");
    expect(out).toMatch(/^This runs against a sandbox of the Baanx API, not Baanx: http:\/\/127\.0\.0\.1:/);
    expect(out.match(/^✓ .*/gm)).toHaveLength(20);
    expect(out).toMatch(/^✓ log out +POST \/v1\/auth\/logout +confirmed, cleared$/m);
    expect(out).toMatch(/^✓ the same token again +GET \/v1\/user +invalid$/m);
    expect(out).toMatch(/^✓ revoke +DELETE \/v1\/auth\/oauth\/revoke +confirmed, cleared$/m);
    expect(out).toMatch(/^✓ log out +POST \/v1\/auth\/logout +unconfirmed \(timeout\), pending$/m);
    expect(out).toMatch(/^✓ try again +session\.flush\(\) +confirmed, cleared$/m);
    expect(out).toMatch(/\n20 steps held, 0 did not\.\n$/);
    expect(out).not.toMatch(/_sandbox-|demo-client-key/);
    // The escape that begins a colour, although the output is not a terminal.
    expect(out).not.toContain("\x1b");
    expect(code).toBe(0);
  });

  it("does not call the real API just because variables are set", async () => {
    const { accessToken } = provider.login();
    expect(await demo([], live(accessToken))).toMatchObject({ code: 0 });
    expect(provider.requests).toEqual([]);
    expect(provider.isAlive(accessToken)).toBe(true);
  });

  const success = '{"success": true}';
  it.each<{ broken: string; fault: Fault; line: RegExp }>([
    {
      broken: "says that it logged out and leaves the token alive",
      fault: { path: "/v1/auth/logout", body: success },
      line: /^✗ the same token again +GET \/v1\/user +active; expected invalid$/m,
    },
    {
      broken: "says that it revoked and leaves the tokens alive",
      fault: { path: "/v1/auth/oauth/revoke", body: success },
      line: /^✗ an access token of it +GET \/v1\/user +active; expected invalid$/m,
    },
    {
      broken: "fails at logout",
      fault: { path: "/v1/auth/logout", status: 403 },
      line: /^✗ log out +POST \/v1\/auth\/logout +unconfirmed \(rejected\), pending; expected confirmed, cleared$/m,
    },
    {
      broken: "gives no token",
      fault: { path: "/v1/auth/login", body: '{"isOtpRequired": true}' },
      line: /^✗ log in +POST \/v1\/auth\/login +200, no token; expected 200, a token$/m,
    },
    {
      broken: "answers the login with no JSON",
      fault: { path: "/v1/auth/login", body: "<p>secret</p>", status: 200 },
      line: /^✗ log in +POST \/v1\/auth\/login +200, no token; expected 200, a token$/m,
    },
  ])("fails with a provider that $broken", async ({ fault, line }) => {
    provider.misbehave(fault);
    const lines: string[] = [];
    expect(await runDemo(provider, (printed) => lines.push(printed))).toBe(false);
    const output = lines.join("\n");
    expect(output).toMatch(line);
    expect(output).toMatch(/ steps held, [1-9]\d* did not\.$/);
    expect(output).not.toMatch(/_sandbox-|secret/);
  });
});

describe("the demo with --live", () => {
  it("logs out by the package's own command, and succeeds if the server confirms it", async () => {
    const { accessToken } = provider.login();
    const result = await demo(["--live"], live(accessToken));
    expect(result).toEqual({ code: 0, out: "confirmed\n", err: "The server has ended it.\n" });
    expect(provider.requests).toMatchObject([{ path: "/v1/auth/logout", status: 200 }]);
    expect(provider.isAlive(accessToken)).toBe(false);
  });

  it("revokes an OAuth token in its own region", async () => {
    const { accessToken, refreshToken } = provider.authorize(undefined, "us");
    const variables = live(accessToken, { BAANX_REGION: "us" });
    expect(await demo(["--live", "--revoke"], variables)).toMatchObject({ code: 0 });
    expect(provider.requests).toMatchObject([{ path: "/v1/auth/oauth/revoke", region: "us", status: 200 }]);
    expect(provider.isAlive(refreshToken)).toBe(false);
  });

  it("fails if the server does not confirm it, and prints neither token nor key", async () => {
    const { accessToken } = provider.login();
    provider.misbehave({ status: 403 });
    const { code, out, err } = await demo(["--live"], live(accessToken));
    expect({ code, out }).toEqual({ code: 1, out: "unconfirmed\n" });
    expect(err).not.toMatch(/_sandbox-|demo-client-key/);
  });

  it.each(["BAANX_BASE_URL", "BAANX_CLIENT_KEY", "BAANX_ACCESS_TOKEN"])(
    "names %s if it is missing",
    async (name) => {
      const run = await demo(["--live"], live("US_example", { [name]: "" }));
      expect(run).toEqual({ code: 2, out: "", err: expect.stringMatching(`^${name} is not`) });
    },
  );

  it.each(["https://api.baanx.com", "https://API.baanx.com:443/", "https://api.baanx.com./"])(
    "refuses the production API, as %s, unless it is allowed",
    async (address) => {
      const run = await demo(["--live"], live("US_example", { BAANX_BASE_URL: address }));
      const line = "BAANX_BASE_URL is the production API: add --allow-production if you mean it. See --help.";
      expect(run).toEqual({ code: 2, out: "", err: `demo: ${line}\n` });
    },
  );
});

describe("the demo's flags", () => {
  it("appear in --help", async () => {
    const { code, out, err } = await demo(["--help"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^Usage: npm start\n/);
  });

  it.each([
    { args: ["--lief"], line: "demo: Unknown option '--lief'. See --help.\n" },
    { args: ["live"], line: /^demo: Unexpected argument 'live'.*\. See --help\.\n$/ },
    { args: ["--revoke"], line: "demo: --revoke needs --live. See --help.\n" },
    { args: ["--allow-production"], line: "demo: --allow-production needs --live. See --help.\n" },
  ])("cause an error if they are wrong: $args", async ({ args, line }) => {
    const err = typeof line === "string" ? line : expect.stringMatching(line);
    expect(await demo(args)).toEqual({ code: 2, out: "", err });
  });
});
