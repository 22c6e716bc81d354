/** The command for one token: exit codes, stdout and stderr. */
import { describe, expect, it } from "vitest";
import { coloured } from "../src/cli/output.ts";
import { commands, invocationOf } from "../src/cli/usage.ts";
import type { Fault } from "../src/sandbox/index.ts";
import { resultsOf, useCli } from "./cli-support.ts";
import { LOGOUT, REVOKE } from "./support.ts";

const cli = useCli();

describe("logout and revoke", () => {
  it("ends the token of the environment, with one word on stdout and a message on stderr", async () => {
    const { accessToken } = cli.sandbox.login();
    const result = await cli.run(["logout"], { env: { BAANX_ACCESS_TOKEN: accessToken } });
    expect(result).toMatchObject({ code: 0, out: "confirmed\n", err: "The server has ended it.\n" });
    expect(cli.sandbox.isAlive(accessToken)).toBe(false);
  });

  it("reads the token from standard input, whatever ends its line", async () => {
    const { accessToken, refreshToken } = cli.sandbox.authorize();
    const result = await cli.run(["revoke"], { input: `${accessToken}\r\n` });
    expect(result).toMatchObject({ code: 0, out: "confirmed\n" });
    expect(cli.sandbox.isAlive(refreshToken)).toBe(false);
  });

  it.each(["logout", "revoke"])("counts a 401 of %s as ended with --accept-401", async (command) => {
    const { code, out, err } = await cli.run([command, "--accept-401"], { input: "gone" });
    expect({ code, out }).toEqual({ code: 0, out: "already-invalid\n" });
    expect(err).toContain("does not accept");
  });

  it.each([
    { name: "nothing listens", url: undefined, cause: "ECONNREFUSED", words: "nothing listens at that" },
    { name: "the host is not known", url: "https://baanx.invalid", cause: "ENOTFOUND", words: "host name" },
  ])("says why the server did not answer if $name", async ({ url, cause, words }) => {
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

  it("sends to the region of --region, or else of BAANX_REGION", async () => {
    await cli.run(["logout", "--region", "us"], { input: "token" });
    await cli.run(["logout"], { input: "token", env: { BAANX_REGION: "us" } });
    await cli.run(["logout", "--region=international"], { input: "token", env: { BAANX_REGION: "us" } });
    expect(cli.sandbox.requests.map(({ region }) => region)).toEqual(["us", "us", "international"]);
  });

  const unauthorized = { error: { code: "unauthorized", status: 401 } };
  // Another environment or region answers the same.
  const elsewhere = /of another environment or region\. --accept-401/;
  const rejected = { error: { code: "rejected", status: 403 } };
  const success = { status: 200, body: '{"success": true}' };
  it.each<{ args: string[]; fault?: Fault; token?: string; result: object; says: RegExp }>([
    { args: ["logout"], token: "gone", result: unauthorized, says: elsewhere },
    { args: ["logout", "--verify"], token: "gone", result: unauthorized, says: elsewhere },
    { args: ["revoke"], token: "gone", result: unauthorized, says: elsewhere },
    { args: ["revoke", "--verify"], token: "gone", result: unauthorized, says: elsewhere },
    { args: ["logout", "--region", "us"], result: unauthorized, says: elsewhere },
    {
      args: ["logout"],
      fault: { path: LOGOUT, status: 403 },
      result: rejected,
      says: /^Not confirmed: the token may be alive\. \(rejected: status 403: .+ \(docs\/results-and-errors\.md#rejected\)\)\n$/,
    },
    {
      args: ["logout", "--timeout", "150"],
      fault: { path: LOGOUT, delay: "forever" },
      result: { error: { code: "timeout" } },
      says: /no answer within 150 ms/,
    },
    {
      args: ["revoke", "--verify"],
      fault: { path: REVOKE, ...success },
      result: { verified: "active" },
      says: /still accepts it/,
    },
    {
      args: ["logout", "--verify"],
      fault: { path: "/v1/user", status: 403 },
      result: { ...rejected, verified: "unknown" },
      says: /Could not check/,
    },
  ])("exits with 1 if $args with the fault $fault is unconfirmed", async (row) => {
    const { args, fault, token, result, says } = row;
    const { accessToken } = cli.sandbox.authorize();
    if (fault) cli.sandbox.misbehave(fault);
    const { code, out, err } = await cli.run([...args, "--json"], { input: token ?? accessToken });
    expect(resultsOf(out)).toEqual([{ endpoint: args[0], server: "unconfirmed", ...result }]);
    expect(err).toMatch(says);
    expect(code).toBe(1);
    // Only the last row ends it, and does not know.
    expect(cli.sandbox.isAlive(accessToken)).toBe(fault?.path !== "/v1/user");
  });

  it("reports confirmed with --verify if the token is refused afterwards", async () => {
    const { accessToken } = cli.sandbox.login();
    const result = await cli.run(["logout", "--verify"], { input: accessToken });
    expect(result).toMatchObject({ code: 0, out: "confirmed\n" });
    expect(cli.sandbox.requests.map(({ path }) => path)).toEqual([LOGOUT, "/v1/user"]);
  });
});

it("probes whether a token is accepted, changes nothing, and exits with 1 if the answer is neither", async () => {
  const { accessToken } = cli.sandbox.login();
  expect(await cli.run(["probe"], { input: accessToken })).toMatchObject({ code: 0, out: "active\n" });
  const invalid = await cli.run(["probe", "--json"], { input: "gone" });
  expect(invalid.code).toBe(0);
  expect(resultsOf(invalid.out)).toEqual([{ token: "invalid" }]);
  expect(cli.sandbox.isAlive(accessToken)).toBe(true);
  cli.sandbox.misbehave({ status: 500 });
  const { code, out } = await cli.run(["probe", "--json"], { input: "token" });
  expect(resultsOf(out)).toEqual([{ token: "unknown", error: { code: "server-error", status: 500 } }]);
  expect(code).toBe(1);
});

const secretLike = "US_b6b9168a-9f6c-4c55-8f0e-1b2a3c4d5e6f";

describe("wrong usage", () => {
  const secret = secretLike;

  it.each([
    { args: [], says: "The command is missing." },
    { args: [secret], says: "Unknown command. The commands are logout, revoke, probe," },
    { args: ["logut"], says: "Unknown command logut. The commands are logout, revoke, probe," },
    { args: ["help", "revok"], says: "Unknown command revok." },
    {
      args: ["logout", "--jsno"],
      says: "logout does not accept --jsno. It accepts --region, --timeout, --json,",
    },
    { args: ["logout", "-x"], says: "logout does not accept -x. It accepts" },
    { args: ["--jsno"], says: "baanx-session does not accept --jsno. It accepts --help, --version." },
    { args: ["logout", secret], says: "logout takes no further argument." },
    { args: ["completion", "bash", secret], says: "completion takes no further argument." },
    { args: ["completion", secret], says: "completion needs a shell: bash or zsh." },
    { args: ["logout", `--${secret}`], says: "logout does not accept this option" },
    { args: ["logout", `-${secret}`], says: "logout does not accept this option" },
    { args: ["logout", "--token", secret], says: "logout does not accept --token" },
    { args: ["logout", `--access-token=${secret}`], says: "logout does not accept --access-token" },
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
    { args: ["probe", "--verify"], says: "probe does not accept --verify. It accepts" },
    { args: ["sandbox", "--port", secret], says: "--port takes a number" },
    { args: ["sandbox", "--tokens", secret], says: "--tokens must be" },
    { args: ["sandbox", "--fault", secret], says: "--fault takes key=value" },
    { args: ["sandbox", "--fault", `status=${secret}`], says: "--fault: the value of status is not valid" },
    {
      args: ["sandbox", "--fault", "status=600"],
      says: "--fault: A fault cannot answer with the status 600.",
    },
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
      says: "must be https; http is for loopback. ",
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
  ])("exits with 2 for a wrong environment or input: $says", async ({ env, input = "token", says }) => {
    const { code, out, err } = await cli.run(["logout"], { input, ...(env && { env }) });
    expect(err).toContain(says);
    expect(err).not.toContain(secret.slice(3));
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(cli.sandbox.requests).toEqual([]);
  });
});

it("says how secrets are given where an argument may be one, and not otherwise", async () => {
  const errorOf = async (...args: string[]) => (await cli.run(args, { input: "token" })).err;
  for (const args of [[secretLike], ["logout", secretLike], ["logout", `--${secretLike}`]])
    expect(await errorOf(...args)).toContain("never from arguments");
  for (const wrong of ["--timeout=0", "--concurrency=x"])
    expect(await errorOf("logout", "--stdin", wrong)).not.toContain("never from arguments");
});

it("refuses standard input that cannot be read, as a process", async () => {
  for (const args of [["logout"], ["logout", "--stdin"], ["logout", "--stdin", "--dry-run"]]) {
    const { result } = await cli.spawn(args, { shell: 'exec "$@" 0>/dev/null' });
    const { code, err } = await result;
    expect(err).toContain("cannot be read (EBADF)");
    expect(code).toBe(2);
  }
});

it("exits with 1 if the result cannot be written, and prints it on stderr, as a process", async () => {
  const { child, result } = await cli.spawn(["logout"], { shell: 'exec "$@" >/dev/full' });
  child.stdin.end(cli.sandbox.login().accessToken);
  const { code, err } = await result;
  expect(err).toContain('The result "confirmed" cannot be written (ENOSPC).');
  expect(code).toBe(1);
});

describe("the output", () => {
  it("contains no secret, although the server quotes them", async () => {
    const { accessToken } = cli.sandbox.login();
    const body = JSON.stringify({ message: `no ${accessToken} of ${cli.sandbox.clientKey}` });
    cli.sandbox.misbehave({ status: 403, body });
    for (const args of [["logout"], ["revoke", "--json"], ["probe"], ["logout", "--verify"]]) {
      const { out, err } = await cli.run(args, { input: accessToken });
      expect(out + err).not.toContain(accessToken);
      expect(out + err).not.toContain(cli.sandbox.clientKey);
    }
  });

  it("escapes control characters of the server", async () => {
    const body = JSON.stringify({ message: "\u001b[2J\u009b2J\u007f\u202e\u2066\u2028é" });
    cli.sandbox.misbehave({ status: 403, body });
    const { err } = await cli.run(["logout"], { input: "token" });
    expect(err).toContain("é");
    expect(err.trimEnd()).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028]/u);
  });

  it("names the variables of the command, not the options of the library", async () => {
    const { err } = await cli.run(["logout"], { input: "token", env: { BAANX_CLIENT_KEY: "other" } });
    expect(err).toContain(
      "check BAANX_CLIENT_KEY: it differs per environment, and must belong to BAANX_BASE_URL",
    );
  });

  it("prints the result and errors only with --quiet", async () => {
    const { accessToken } = cli.sandbox.login();
    const result = await cli.run(["logout", "--quiet"], { input: accessToken });
    expect(result).toEqual({ code: 0, out: "confirmed\n", err: "" });
    expect((await cli.run(["logout", "--quiet"], { input: accessToken })).err).toContain("Not confirmed");
  });

  it("colours results on a terminal that shows colours only", () => {
    const terminal = (isTTY: boolean, colours: boolean) =>
      Object.assign(Object.create(process.stdout), { isTTY, hasColors: () => colours });
    expect(coloured("word", "red", terminal(true, true))).toBe("\x1b[31mword\x1b[39m");
    expect(coloured("word", "red", terminal(true, false))).toBe("word");
    expect(coloured("word", "red", terminal(false, true))).toBe("word");
  });
});

describe("--help and --version", () => {
  it("prints the help of each command without any configuration", async () => {
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

  it("prints and exits the same as a process", async () => {
    const { result } = await cli.spawn(["--version"]);
    expect(await result).toEqual({ code: 0, out: (await cli.run(["--version"])).out, err: "" });
    expect(await (await cli.spawn(["logut"])).result).toMatchObject({ code: 2, out: "" });
  });

  it.each([
    { as: "--help", args: ["-h", "help"] },
    { as: "--version", args: ["-V", "version"] },
    { as: "logout --help", args: ["logout -h", "help logout", "-h logout"] },
  ])("accepts $args as $as", async ({ as, args }) => {
    const expected = await cli.run(as.split(" "));
    expect(expected).toMatchObject({ code: 0, err: "" });
    for (const other of args) expect(await cli.run(other.split(" "))).toEqual(expected);
  });

  it("have examples that the command understands, and the addresses of the documentation", async () => {
    for (const command of Object.keys(commands)) {
      const { out } = await cli.run(["help", command]);
      const [, examples = ""] = /\nExamples:\n(.*?)\n\n/s.exec(out) ?? [];
      const lines = examples.split("\n").map((line) => line.replace(/^.*?baanx-session |\)"$/g, ""));
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

  it("prints the usage if the command is missing", async () => {
    const { code, out, err } = await cli.run([]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^The command is missing\.\n\nUsage: baanx-session <command>/);
  });
});
