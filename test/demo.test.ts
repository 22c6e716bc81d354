/**
 * `npm start` as a person sees it: exit codes and lines. The provider that each run talks to is the sandbox, over TCP;
 * that the demo can fail is shown with one that is broken.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runHere } from "../contracts/fixtures/here.ts";
import { runDemo } from "../scripts/demo-steps.ts";
import { createSandboxApp, type Fault, type SandboxApp } from "../src/sandbox/sandbox.ts";
import { type RunningServer, startServer } from "../src/sandbox/server.ts";

// A process starts slowly while others run.
vi.setConfig({ testTimeout: 30_000 });

let provider: SandboxApp;
let server: RunningServer;

beforeEach(async () => {
  provider = createSandboxApp();
  server = await startServer(provider);
});

afterEach(() => server.close());

interface Result {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

async function demo(args: readonly string[] = [], variables: Record<string, string> = {}): Promise<Result> {
  const { code, out, err } = await runHere("demo", args, variables);
  return { exitCode: code, stdout: out, stderr: err };
}

const live = (accessToken: string, variables: Record<string, string> = {}) => ({
  BAANX_BASE_URL: server.url,
  BAANX_CLIENT_KEY: provider.clientKey,
  BAANX_ACCESS_TOKEN: accessToken,
  ...variables,
});

describe("the demo", () => {
  it("holds against the sandbox, says first that it is one, and prints no token", async () => {
    const { exitCode, stdout, stderr } = await demo();
    expect(stderr).toBe("");
    expect(stdout).toMatch(
      /^This runs against a sandbox of the Baanx API, not Baanx: http:\/\/127\.0\.0\.1:/,
    );
    expect(stdout.match(/^✓ .*/gm)).toHaveLength(20);
    expect(stdout).toMatch(/^✓ log out +POST \/v1\/auth\/logout +confirmed, cleared$/m);
    expect(stdout).toMatch(/^✓ the same token again +GET \/v1\/user +invalid$/m);
    expect(stdout).toMatch(/^✓ revoke +DELETE \/v1\/auth\/oauth\/revoke +confirmed, cleared$/m);
    expect(stdout).toMatch(/^✓ log out +POST \/v1\/auth\/logout +unconfirmed \(timeout\), pending$/m);
    expect(stdout).toMatch(/^✓ try again +session\.flush\(\) +confirmed, cleared$/m);
    expect(stdout).toMatch(/\n20 steps held, 0 did not\.\n$/);
    expect(stdout).not.toMatch(/_sandbox-|demo-client-key/);
    // The escape that begins a colour: this is no terminal.
    expect(stdout).not.toContain("\x1b");
    expect(exitCode).toBe(0);
  });

  it("sends nothing to the real API because variables happen to be set", async () => {
    const { accessToken } = provider.login();
    expect(await demo([], live(accessToken))).toMatchObject({ exitCode: 0 });
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
  ])("does not hold against a provider that $broken", async ({ fault, line }) => {
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
  it("logs out, and is content when the server confirms it", async () => {
    const { accessToken } = provider.login();
    const { exitCode, stdout, stderr } = await demo(["--live"], live(accessToken));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^✓ server {2}confirmed\n✓ local {3}cleared$/m);
    expect(stdout).not.toContain("sandbox");
    expect(provider.requests).toMatchObject([{ path: "/v1/auth/logout", status: 200 }]);
    expect(provider.isAlive(accessToken)).toBe(false);
  });

  it("revokes an OAuth token in its own region", async () => {
    const { accessToken, refreshToken } = provider.authorize(undefined, "us");
    const variables = live(accessToken, { BAANX_REGION: "us" });
    expect(await demo(["--live", "--revoke"], variables)).toMatchObject({ exitCode: 0, stderr: "" });
    expect(provider.requests).toMatchObject([{ path: "/v1/auth/oauth/revoke", region: "us", status: 200 }]);
    expect(provider.isAlive(refreshToken)).toBe(false);
  });

  it("is content with a token that had ended, and says what else that can mean", async () => {
    const { exitCode, stdout } = await demo(["--live"], live("US_ended-before"));
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^✓ server {2}already-invalid$/m);
    expect(stdout).toContain("belongs to another one or region");
  });

  it.each<{ failing: string; args: string[]; fault: Fault; line: string }>([
    { failing: "refuses", args: [], fault: { status: 403 }, line: "rejected: status 403" },
    { failing: "says success: false", args: [], fault: { body: '{"success": false}' }, line: "unexpected-" },
    {
      failing: "answers a revoke with 401",
      args: ["--revoke"],
      fault: { status: 401 },
      line: "unauthorized",
    },
    { failing: "drops the connection", args: [], fault: { drop: true }, line: "network" },
  ])("fails when the server $failing, and prints neither token nor key", async ({ args, fault, line }) => {
    const { accessToken } = provider.authorize();
    provider.misbehave(fault);
    const { exitCode, stdout, stderr } = await demo(["--live", ...args], live(accessToken));
    expect(exitCode).toBe(1);
    expect(stdout).toContain(`✗ server  unconfirmed: ${line}`);
    expect(stdout + stderr).not.toMatch(/_sandbox-|demo-client-key/);
  });

  it.each(["BAANX_BASE_URL", "BAANX_CLIENT_KEY", "BAANX_ACCESS_TOKEN"])(
    "names %s when it is missing",
    async (name) => {
      const { accessToken } = provider.login();
      const run = await demo(["--live"], live(accessToken, { [name]: "" }));
      expect(run).toEqual({ exitCode: 2, stdout: "", stderr: `demo: ${name} is not set. See --help.\n` });
    },
  );

  it.each([
    { name: "BAANX_BASE_URL", value: "ftp://secret" },
    { name: "BAANX_CLIENT_KEY", value: "a secret" },
    { name: "BAANX_ACCESS_TOKEN", value: "a secret" },
    { name: "BAANX_REGION", value: "secret" },
  ])("names $name in one line when it is wrong, and does not quote it", async ({ name, value }) => {
    const { exitCode, stdout, stderr } = await demo(["--live"], live("US_example", { [name]: value }));
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(new RegExp(`^demo: ${name} (must be|has blanks).+\\.\\n$`));
    expect(stderr).not.toContain("secret");
  });

  it.each(["https://api.baanx.com", "https://API.baanx.com:443/", "https://api.baanx.com./"])(
    "refuses the production API, as %s, unless it is allowed",
    async (address) => {
      const run = await demo(["--live"], live("US_example", { BAANX_BASE_URL: address }));
      const line = "BAANX_BASE_URL is the production API: add --allow-production if you mean it. See --help.";
      expect(run).toEqual({ exitCode: 2, stdout: "", stderr: `demo: ${line}\n` });
    },
  );
});

describe("the flags of the demo", () => {
  it("are shown by --help", async () => {
    const { exitCode, stdout, stderr } = await demo(["--help"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^Usage: npm start\n/);
  });

  it.each([
    { args: ["--lief"], line: "demo: Unknown option '--lief'. See --help.\n" },
    { args: ["live"], line: /^demo: Unexpected argument 'live'.*\. See --help\.\n$/ },
    { args: ["--revoke"], line: "demo: --revoke needs --live. See --help.\n" },
    { args: ["--allow-production"], line: "demo: --allow-production needs --live. See --help.\n" },
  ])("are refused when they are wrong: $args", async ({ args, line }) => {
    const { exitCode, stdout, stderr } = await demo(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    if (typeof line === "string") expect(stderr).toBe(line);
    else expect(stderr).toMatch(line);
  });
});
