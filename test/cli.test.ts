/** The command for one token, as a person or a script meets it: a real process, exit codes, stdout and stderr. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { commands, invocationOf } from "../src/cli/usage.ts";
import { coloured } from "../src/cli/words.ts";
import { completedLogin, createBindings } from "../src/index.ts";
import { useCli } from "./cli-support.ts";
import { LOGOUT, REVOKE } from "./support.ts";

const cli = useCli();

describe("logout and revoke", () => {
  it("end the token of the environment, with one word on stdout and the others on stderr", async () => {
    const { accessToken } = cli.sandbox.login();
    const result = await cli.run(["logout"], { env: { BAANX_ACCESS_TOKEN: accessToken } });
    expect(result).toMatchObject({ code: 0, out: "confirmed\n", err: "The server has ended it.\n" });
    expect(cli.sandbox.isAlive(accessToken)).toBe(false);
  });

  it("read the token from standard input, whatever ends its line", async () => {
    const { accessToken, refreshToken } = cli.sandbox.authorize();
    expect(await cli.run(["revoke"], { input: `${accessToken}\r\n` })).toMatchObject({
      code: 0,
      out: "confirmed\n",
    });
    expect(cli.sandbox.isAlive(refreshToken)).toBe(false);
  });

  it.each(["logout", "revoke"])(
    "leave a lone 401 of %s unconfirmed: an environment that is not the token's says it too",
    async (command) => {
      const { code, out, err } = await cli.run([command, "--json"], { input: "gone" });
      expect(JSON.parse(out)).toEqual({
        endpoint: command,
        server: "unconfirmed",
        error: { code: "unauthorized", status: 401 },
      });
      expect(err).toContain("of another environment or region");
      expect(err).toContain("--accept-401");
      expect(code).toBe(1);
      expect(await cli.run([command, "--verify"], { input: "gone" })).toMatchObject({
        code: 1,
        out: "unconfirmed\n",
      });
    },
  );

  it.each(["logout", "revoke"])("count a 401 of %s as ended with --accept-401", async (command) => {
    const { code, out, err } = await cli.run([command, "--accept-401"], { input: "gone" });
    expect({ code, out }).toEqual({ code: 0, out: "already-invalid\n" });
    expect(err).toContain("does not accept");
  });

  it("do not end a token in the wrong region, and say so", async () => {
    const { accessToken } = cli.sandbox.login(cli.sandbox.user.id, "us");
    expect(await cli.run(["logout"], { input: accessToken })).toMatchObject({
      code: 1,
      out: "unconfirmed\n",
    });
    expect(cli.sandbox.isAlive(accessToken)).toBe(true);
  });

  it.each([
    {
      name: "nothing listens",
      url: undefined,
      cause: "ECONNREFUSED",
      words: "nothing listens at that address",
    },
    { name: "the host is not known", url: "https://baanx.invalid", cause: "ENOTFOUND", words: "host name" },
  ])("say why there is no answer where $name", async ({ url, cause, words }) => {
    const options = { input: "token", env: { BAANX_BASE_URL: url ?? (await cli.deadUrl()) } };
    const { code, out, err } = await cli.run(["logout", "--json"], options);
    const { error } = JSON.parse(out);
    // A machine without a resolver says the second of a name.
    expect([cause, "EAI_AGAIN"]).toContain(error.cause);
    expect(error.code).toBe("network");
    expect(err).toContain(error.cause);
    expect(err).toContain(words);
    expect(code).toBe(1);
  });

  it("exit with 1 when the server has not confirmed", async () => {
    cli.sandbox.misbehave({ path: LOGOUT, status: 403 });
    const { code, out, err } = await cli.run(["logout", "--json"], {
      input: cli.sandbox.login().accessToken,
    });
    expect(JSON.parse(out)).toEqual({
      endpoint: "logout",
      server: "unconfirmed",
      error: { code: "rejected", status: 403 },
    });
    expect(err).toMatch(
      /^Not confirmed: the token may be alive\. \(rejected: status 403: .+ \(docs\/results-and-errors\.md#rejected\)\)\n$/,
    );
    expect(code).toBe(1);
  });

  it("give up at the time that --timeout sets", async () => {
    cli.sandbox.misbehave({ path: LOGOUT, delay: "forever" });
    const { code, out } = await cli.run(["logout", "--json", "--timeout", "150"], { input: "token" });
    expect(JSON.parse(out)).toMatchObject({ server: "unconfirmed", error: { code: "timeout" } });
    expect(code).toBe(1);
  });

  it("go to the region that --region or BAANX_REGION names, the first of them first", async () => {
    await cli.run(["logout", "--region", "us"], { input: "token" });
    await cli.run(["logout"], { input: "token", env: { BAANX_REGION: "us" } });
    await cli.run(["logout", "--region=international"], { input: "token", env: { BAANX_REGION: "us" } });
    expect(cli.sandbox.requests.map(({ region }) => region)).toEqual(["us", "us", "international"]);
  });

  it("are unconfirmed with --verify when the token is accepted afterwards", async () => {
    cli.sandbox.misbehave({ path: REVOKE, status: 200, body: '{"success": true}' });
    const { accessToken } = cli.sandbox.authorize();
    const { code, out, err } = await cli.run(["revoke", "--verify", "--json"], { input: accessToken });
    expect(JSON.parse(out)).toEqual({ endpoint: "revoke", server: "unconfirmed", verified: "active" });
    expect(err).toContain("still accepts it");
    expect(code).toBe(1);
  });

  it("are unconfirmed with --verify when nobody can say whether it is accepted", async () => {
    cli.sandbox.misbehave({ path: "/v1/user", status: 403 });
    const { code, out } = await cli.run(["logout", "--verify", "--json"], {
      input: cli.sandbox.login().accessToken,
    });
    expect(JSON.parse(out)).toMatchObject({
      server: "unconfirmed",
      verified: "unknown",
      error: { status: 403 },
    });
    expect(code).toBe(1);
  });

  it("are confirmed with --verify when the token is refused afterwards", async () => {
    const { accessToken } = cli.sandbox.login();
    expect(await cli.run(["logout", "--verify"], { input: accessToken })).toMatchObject({
      code: 0,
      out: "confirmed\n",
    });
    expect(cli.sandbox.requests.map(({ path }) => path)).toEqual([LOGOUT, "/v1/user"]);
  });
});

describe("probe", () => {
  it("says whether the token is accepted, and changes nothing", async () => {
    const { accessToken } = cli.sandbox.login();
    expect(await cli.run(["probe"], { input: accessToken })).toMatchObject({ code: 0, out: "active\n" });
    const invalid = await cli.run(["probe", "--json"], { input: "gone" });
    expect(invalid).toMatchObject({ code: 0, out: '{"token":"invalid"}\n' });
    expect(cli.sandbox.isAlive(accessToken)).toBe(true);
  });

  it("exits with 1 when the answer is neither", async () => {
    cli.sandbox.misbehave({ status: 500 });
    const { code, out } = await cli.run(["probe", "--json"], { input: "token" });
    expect(JSON.parse(out)).toEqual({ token: "unknown", error: { code: "server-error", status: 500 } });
    expect(code).toBe(1);
  });
});

const secretLike = "US_b6b9168a-9f6c-4c55-8f0e-1b2a3c4d5e6f";

describe("wrong usage", () => {
  const secret = secretLike;

  it.each([
    { args: [], says: "There is no command." },
    { args: [secret], says: "There is a command that is not known." },
    { args: ["logut"], says: "There is no command logut. Did you mean logout?" },
    { args: ["help", "revok"], says: "There is no command revok. Did you mean revoke?" },
    { args: ["logout", "--jsno"], says: "There is no option --jsno. Did you mean --json?" },
    { args: ["sandbox", "--prot=1"], says: "There is no option --prot. Did you mean --port?" },
    { args: ["logout", "-x"], says: "There is no option -x." },
    { args: ["logout", secret], says: "logout takes no further argument." },
    { args: ["logout", `--${secret}`], says: "There is an option that is not known." },
    { args: ["logout", `-${secret}`], says: "There is an option that is not known." },
    { args: ["logout", "--token", secret], says: "There is no option --token." },
    { args: ["logout", `--access-token=${secret}`], says: "There is no option --access-token." },
    { args: ["logout", `--json=${secret}`], says: "--json takes no value." },
    { args: ["logout", "--region", secret], says: "The region must be" },
    { args: ["logout", `--timeout=${secret}`], says: "--timeout must be" },
    { args: ["logout", "--timeout"], says: "--timeout needs a value." },
    { args: ["logout", "--timeout", "--json"], says: "The value of an option begins with a dash" },
    { args: ["logout", "--timeout", "0"], says: "--timeout must be" },
    { args: ["logout", "--timeout", "60001"], says: "--timeout must be a whole number, 1 to 60000." },
    { args: ["logout", "--journal", "x"], says: "--journal is for lists" },
    { args: ["logout", "--stdin", "--concurrency", secret], says: "--concurrency must be" },
    { args: ["logout", "--stdin", "--concurrency", "0"], says: "--concurrency must be" },
    { args: ["probe", "--verify"], says: "--verify is no option of probe." },
    { args: ["sandbox", "--port", secret], says: "--port takes a number" },
  ])("exits with 2, quotes nothing and sends nothing: $says", async ({ args, says }) => {
    const { code, out, err } = await cli.run(args, { input: "token" });
    expect(err).toContain(says);
    expect(err).not.toContain(secret.slice(3));
    expect(out).toBe("");
    expect(code).toBe(2);
    expect(cli.sandbox.requests).toEqual([]);
  });

  it.each([
    { env: { BAANX_BASE_URL: undefined }, says: "BAANX_BASE_URL is not set." },
    { env: { BAANX_CLIENT_KEY: "" }, says: "BAANX_CLIENT_KEY is not set." },
    {
      env: { BAANX_BASE_URL: `http://example.com/${secret}` },
      says: "BAANX_BASE_URL must be https; http is for loopback. ",
    },
    { env: { BAANX_BASE_URL: `https://user:${secret}@example.com` }, says: "BAANX_BASE_URL must be" },
    { env: { BAANX_CLIENT_KEY: `two ${secret}` }, says: "BAANX_CLIENT_KEY must be" },
    { env: { BAANX_ACCESS_TOKEN: `two ${secret}` }, says: "The access token has blanks" },
    { env: { BAANX_REGION: secret }, says: "The region must be" },
    { input: "", says: "standard input is empty" },
    { input: `"${secret}"\n`, says: "jq -r" },
    { input: `{"accessToken": "${secret}"}\n`, says: "--stdin" },
    { input: `["${secret}"]\n`, says: "jq -r" },
    { input: "null\n", says: "is a word for no token" },
    { input: "nil\n", says: "is a word for no token" },
    { env: { BAANX_ACCESS_TOKEN: `"${secret}"` }, says: "jq -r" },
    { input: "one\ntwo\n", says: "more than one line" },
    { input: `${"x".repeat(70_000)}\n`, says: "too long" },
  ])("of the environment or the input exits with 2: $says", async ({ env, input = "token", says }) => {
    const { code, out, err } = await cli.run(["logout"], { input, ...(env && { env }) });
    expect(err).toContain(says);
    expect(err).not.toContain(secret.slice(3));
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(cli.sandbox.requests).toEqual([]);
  });
});

describe("a message about secrets", () => {
  const words = "never from arguments";

  it.each([
    ["logout", secretLike],
    [secretLike],
    ["logout", `--${secretLike}`],
    ["logout", "--token", "short"],
    ["logout", "--client-key=short"],
  ])("comes where one was given as an argument: %s %s", async (...args) => {
    expect((await cli.run(args)).err).toContain(words);
  });

  it.each([
    ["logut"],
    ["logout", "now"],
    ["logout", "--jsno"],
    ["probe", "--verify"],
    ["logout", "--timeout", "0"],
  ])("does not come otherwise: %s %s", async (...args) => {
    const { code, err } = await cli.run(args, { input: "token" });
    expect(err).not.toContain(words);
    expect(code).toBe(2);
  });
});

it("standard input that cannot be read is wrong usage", async () => {
  for (const args of ["logout", "logout --stdin", "logout --stdin --dry-run"]) {
    const env = { BAANX_BASE_URL: cli.sandbox.url, BAANX_CLIENT_KEY: cli.sandbox.clientKey };
    const child = spawn("sh", ["-c", `exec '${process.execPath}' '${cli.file}' ${args} 0>/dev/null`], {
      env,
    });
    const said = text(child.stderr);
    const [code] = await once(child, "close");
    expect(await said).toContain("cannot be read (EBADF)");
    expect(code).toBe(2);
  }
});

describe("what is printed", () => {
  it("holds no secret, though the server says them", async () => {
    const { accessToken } = cli.sandbox.login();
    const body = JSON.stringify({ message: `no ${accessToken} of ${cli.sandbox.clientKey}` });
    cli.sandbox.misbehave({ status: 403, body });
    for (const args of [["logout"], ["revoke", "--json"], ["probe"], ["logout", "--verify"]]) {
      const { out, err } = await cli.run(args, { input: accessToken });
      expect(out + err).not.toContain(accessToken);
      expect(out + err).not.toContain(cli.sandbox.clientKey);
    }
  });

  it("steers no terminal, though the server says what would", async () => {
    cli.sandbox.misbehave({ status: 403, body: '{"message": "\\u001b[2J\\u009b2Jcleared"}' });
    const { err } = await cli.run(["logout"], { input: "token" });
    expect(err).toContain("cleared");
    expect(err.trimEnd()).not.toMatch(/\p{Cc}/u);
  });

  it("is coloured on a terminal that shows colours, and nowhere else", () => {
    const terminal = (isTTY: boolean, colours: boolean) =>
      Object.assign(Object.create(process.stdout), { isTTY, hasColors: () => colours });
    expect(coloured("word", "red", terminal(true, true))).toBe("\x1b[31mword\x1b[39m");
    expect(coloured("word", "red", terminal(true, false))).toBe("word");
    expect(coloured("word", "red", terminal(false, true))).toBe("word");
  });
});

describe("--help and --version", () => {
  it("are there, for each command too, without any configuration", async () => {
    const env = { BAANX_BASE_URL: undefined, BAANX_CLIENT_KEY: undefined };
    const main = await cli.run(["--help"], { env });
    expect(main.out).toMatch(/^Usage: baanx-session <command>/);
    for (const command of Object.keys(commands)) {
      expect(main.out).toContain(`  ${command} `);
      const { code, out, err } = await cli.run([command, "--help"], { env });
      expect(out).toMatch(new RegExp(`^Usage: baanx-session ${command} `));
      expect(out).toContain("Exit codes:\n  0 ");
      expect({ code, err }).toEqual({ code: 0, err: "" });
    }
    expect((await cli.run(["--version"], { env })).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    { as: "--help", args: [["-h"], ["help"]] },
    { as: "--version", args: [["-V"], ["version"]] },
    {
      as: "logout --help",
      args: [
        ["logout", "-h"],
        ["help", "logout"],
        ["-h", "logout"],
      ],
    },
  ])("$as is said in other ways, too", async ({ as, args }) => {
    const expected = await cli.run(as.split(" "));
    expect(expected).toMatchObject({ code: 0, err: "" });
    for (const other of args) expect(await cli.run(other)).toEqual(expected);
  });

  it("have examples that the command understands, and the addresses of the documentation", async () => {
    for (const command of Object.keys(commands)) {
      const { out } = await cli.run(["help", command]);
      const [, examples = ""] = /\nExamples:\n(.*?)\n\n/s.exec(out) ?? [];
      const lines = examples.split("\n").map((line) => line.replace(/^.*?baanx-session /, ""));
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) {
        const [args = ""] = line.split(/ [<>|]/);
        expect(invocationOf(args.split(" ")).command).toBe(command);
      }
      const [, readme = ""] = /of this command +(\S+)/.exec(out) ?? [];
      expect(readme).toMatch(/^\/.*\/README\.md$/);
      expect(out).toContain("https://docs.baanx.com");
    }
  });

  it("are shown as usage, too, where there is no command", async () => {
    const { code, out, err } = await cli.run([]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^There is no command\.\n\nUsage: baanx-session <command>/);
  });
});

/** What the commands that the sandbox prints ask of curl. */
const curl = `
  const string = { type: "string", multiple: true };
  const options = { silent: { type: "boolean", short: "s" }, "show-error": { type: "boolean", short: "S" },
    header: { ...string, short: "H" }, data: { ...string, short: "d" } };
  import("node:util").then(async ({ parseArgs }) => {
    const { values, positionals: [url] } = parseArgs({ options, allowPositionals: true });
    const headers = values.header.map((header) => header.split(": "));
    const response = await fetch(url, { method: "POST", headers, body: values.data[0] });
    process.stdout.write(await response.text());
  });`;

describe("sandbox", () => {
  it("serves the sandbox until it is interrupted", async () => {
    const { child, result } = cli.start(["sandbox"]);
    const [text] = await once(child.stdout, "data");
    const [url = ""] = /http:\/\/127\.0\.0\.1:\d+/.exec(text) ?? [];
    const env = { BAANX_BASE_URL: url };
    expect(await cli.run(["probe"], { input: "token", env })).toMatchObject({ code: 0, out: "invalid\n" });
    child.kill("SIGINT");
    expect(await result).toMatchObject({ code: 0, err: "" });
  });

  it("prints the commands that log in and end the session, to be pasted as they are", async () => {
    const { child } = cli.start(["sandbox"]);
    const [greeting] = await once(child.stdout, "data");
    const [login = "", end = ""] = String(greeting).match(/^(?:curl|BAANX_).+(?:\n {2}.+)?/gm) ?? [];

    // In place of curl, which a machine may not have, and of the package, which is not installed.
    const bin = dirname(cli.path("curl"));
    writeFileSync(join(bin, "curl"), `#!${process.execPath}\n${curl}`, { mode: 0o755 });
    writeFileSync(join(bin, "npx"), `#!/bin/sh\nshift 3\nexec node "${cli.file}" "$@"\n`, { mode: 0o755 });
    const shell = (command: string) =>
      execFileSync("sh", ["-c", command], {
        cwd: bin,
        env: { PATH: `${bin}:${process.env["PATH"]}` },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
    expect(shell(login)).toBe("");
    expect(shell(end)).toBe("confirmed\n");
  });

  it("shows the one-time password that a login waits for", async () => {
    const { child } = cli.start(["sandbox"]);
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const next = async (pattern: RegExp): Promise<string> => {
      for (;;) {
        const { value, done } = await lines.next();
        const [, found] = pattern.exec(value ?? "") ?? [];
        if (found !== undefined || done) return found ?? "";
      }
    };
    const url = await next(/address +(\S+)/);
    const clientKey = await next(/client key +(\S+)/);
    const password = await next(/password +(\S+)/);
    const email = await next(/A login of ([^,]+),/);
    const bindings = createBindings({ baseUrl: url, clientKey });
    const { data } = await bindings.POST("/v1/auth/login", { body: { email, password } });
    expect(completedLogin(data)).toBeUndefined();
    await bindings.POST("/v1/auth/login/otp", { body: { userId: data?.userId ?? "" } });
    const otpCode = await next(/one-time password of .* is (\d{6})\./);
    const again = await bindings.POST("/v1/auth/login", { body: { email, password, otpCode } });
    expect(completedLogin(again.data)).toBeDefined();
  });

  it("exits with 1 when the port is in use", async () => {
    const { port } = new URL(cli.sandbox.url);
    const { code, err } = await cli.run(["sandbox", "--port", port]);
    expect({ code, err }).toEqual({
      code: 1,
      err: `sandbox: Cannot listen on port ${port}: it is in use. Give another --port, or none for one that is free.\n`,
    });
  });
});
