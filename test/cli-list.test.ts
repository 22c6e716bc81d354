/** Lists of tokens through the command: the requests, the result of each line, the journal and the summary. */
import { once } from "node:events";
import { existsSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import type { PassThrough } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import type { Fault } from "../src/sandbox/index.ts";
import { listOf, measured, resultsOf, terminal, useCli } from "./cli-support.ts";
import { endings, gate, LOGOUT, REVOKE } from "./support.ts";

const cli = useCli();

const logins = (count: number) => Array.from({ length: count }, () => cli.sandbox.login().accessToken);
const aliveOf = (tokens: string[]) => tokens.filter((token) => cli.sandbox.isAlive(token));

/** Ends the tokens of a list. */
const end = (list: (string | object)[], ...args: string[]) =>
  cli.run(["logout", "--stdin", ...args], { input: listOf(list) });
const inOrder = ["--concurrency", "1"];

/** Replaces the answers to logouts by a confirmation, which may wait. */
const confirm = (fault: Fault = {}, answered?: () => unknown) =>
  cli.sandbox.misbehave({
    ...{ path: LOGOUT, handled: true, status: 200, ...fault },
    body: async () => {
      await answered?.();
      return '{"success": true}';
    },
  });

const megabytesIn = (file: string) => (Number(readFileSync(file, "utf8")) * 1_024) / 1_000_000;

describe("a list", () => {
  it("ends each token of a list in its region, and names each result by its id or its line", async () => {
    const [first = "", second = ""] = logins(2);
    const { accessToken } = cli.sandbox.login(cli.sandbox.user.id, "us");
    const rows = [
      { accessToken: first, id: "ada" },
      { accessToken: second },
      { accessToken, region: "us", id: 7 },
    ];
    const { code, out, err } = await end(rows, ...inOrder);
    expect(out).toBe("ada\tconfirmed\n2\tconfirmed\n7\tconfirmed\n");
    expect(err).toMatch(/^3 confirmed; \d+\.\d s, \S+\/s\.\n$/);
    expect(code).toBe(0);
    expect(aliveOf([first, second, accessToken])).toEqual([]);
  });

  it("goes on after lines that are not valid, reports their numbers and quotes nothing of them", async () => {
    const [token = ""] = logins(1);
    const secret = "US_secret";
    const lines = [
      `["${secret}"]`,
      `{"accessToken": "${secret}", "id": "${"x".repeat(201)}"}`,
      `{"accessToken": "${secret}${"x".repeat(70_000)}"}`,
      "  ",
      JSON.stringify({ accessToken: token, id: "last" }),
    ];
    const { code, out, err } = await cli.run(["logout", "--stdin", "--json"], { input: lines.join("\r\n") });
    expect(resultsOf(out).map(({ line }) => line)).toEqual([1, 2, 3, 5]);
    expect(resultsOf(out).at(-1)).toEqual({ line: 5, id: "last", server: "confirmed" });
    expect(out + err).not.toContain(secret);
    expect(code).toBe(1);
    expect(endings(cli.sandbox)).toHaveLength(1);
  });

  it("sends as many requests at once as --concurrency says, 8 by default", async () => {
    for (const [args, expected] of [
      [[], 8],
      [["--concurrency", "3"], 3],
    ] as const) {
      const { open, opened } = gate();
      let inFlight = 0;
      let most = 0;
      const undo = confirm({}, async () => {
        inFlight += 1;
        most = Math.max(most, inFlight);
        if (inFlight === expected) open();
        await opened;
        inFlight -= 1;
      });
      const { code } = await end(logins(40), ...args);
      undo();
      expect({ code, most }).toEqual({ code: 0, most: expected });
    }
  });

  it("reports a token as unconfirmed if further attempts are not confirmed either", async () => {
    const [token = "", other = ""] = logins(2);
    cli.sandbox.misbehave({ path: LOGOUT, status: 503, times: 2 });
    expect(await end([token], ...inOrder)).toMatchObject({ code: 0 });
    cli.sandbox.misbehave({ path: LOGOUT, status: 503, times: 3 });
    const { code, out } = await end([other], "--json", ...inOrder);
    const error = { code: "server-error", status: 503 };
    expect(resultsOf(out)).toEqual([{ line: 1, server: "unconfirmed", error }]);
    expect(code).toBe(1);
    expect(endings(cli.sandbox)).toHaveLength(6);
  });

  it("reports a token as unconfirmed if --verify finds it accepted afterwards", async () => {
    const [lying = "", honest = ""] = logins(2);
    cli.sandbox.misbehave({ path: LOGOUT, status: 200, body: '{"success": true}', times: 1 });
    const { code, out } = await end([lying, honest], "--json", "--verify", ...inOrder);
    expect(resultsOf(out)).toEqual([
      { line: 1, server: "unconfirmed", verified: "active" },
      { line: 2, server: "confirmed", verified: "invalid" },
    ]);
    expect(code).toBe(1);
  });

  it.each(["", "\n \n"])("refuses an empty list (%j) as wrong usage", async (input) => {
    const { code, out, err } = await cli.run(["logout", "--stdin"], { input });
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("The list is empty");
  });

  it("names the problem of a line that is not valid", async () => {
    const secret = "US_secret-in-a-list-1234567";
    const keys = "the keys are accessToken, region, id";
    const quoted = "is in quotation marks: leave them out (jq -r does)";
    const blanks = "has blanks: trim it and pass one token";
    const lines = [
      [`{"accessToken": "${secret}", "Region": "us"}`, `unknown key Region: ${keys}`],
      [`{"${secret}": "us"}`, `unknown key: ${keys}`],
      [`{"region": "us"}`, "accessToken is missing"],
      [`{"accessToken": 7}`, "accessToken must be a string"],
      [`{"accessToken": "\\"${secret}\\""}`, `accessToken ${quoted}`],
      [`{"accessToken": "${secret} x"}`, `accessToken ${blanks}`],
      [`{"accessToken": "${secret}", "region": null}`, "region must be international or us"],
      [`{"accessToken": "x", "id": null}`, "id must be a number, or a string of at most 200 characters"],
      [`{"accessToken": "${secret}", "id": "of ${secret}"}`, "id contains the token"],
      [`{"accessToken": "x", "accessToken": "${secret}"}`, "a key is there twice"],
      [`{"accessToken": "${secret}", "id": 1, "\\u0069d": 2}`, "a key is there twice"],
      [`"${secret}"`, `the token ${quoted}`],
      [`${secret} ${secret}`, `the token ${blanks}`],
      [`Bearer ${secret}`, 'the token begins with "Bearer ": pass the token alone'],
      ["null", "the token is a word for no token: check that the login is complete"],
      [`${secret};`, "not a token and not a JSON object"],
      ["}", "not a token and not a JSON object"],
      [`{"accessToken": "${secret}"`, "not a token and not a JSON object"],
    ];
    for (const args of [[], ["--dry-run"]]) {
      const { code, out } = await end(
        lines.map(([line = ""]) => line),
        "--json",
        ...args,
      );
      expect(resultsOf(out)).toEqual(lines.map(([, invalid], index) => ({ line: index + 1, invalid })));
      expect(out).not.toContain(secret);
      expect(code).toBe(1);
    }
    expect(endings(cli.sandbox)).toEqual([]);
  });

  it("may be of bare tokens, mixed with JSON", async () => {
    const [first = "", second = "", third = ""] = logins(3);
    const list = [`${first}\r`, "", `  ${second}`, { accessToken: third, id: "c" }];
    const { code, out } = await end(list, ...inOrder);
    expect({ code, out }).toEqual({ code: 0, out: "1\tconfirmed\n3\tconfirmed\nc\tconfirmed\n" });
    expect(aliveOf([first, second, third])).toEqual([]);
  });

  it("keeps ids as they are, and escapes control characters in them", async () => {
    const ids = ["9007199254740993", "1.50", "-0", "1e400", '"a\\tb\\u009b\\u202e"', '"\u007f\u2066\u2028é"'];
    const list = ids.map((id, index) => `{"id":${id},"accessToken":"token-${index}"}`);
    const texts = (await end(list, "--accept-401", ...inOrder)).out;
    expect(texts.split("\n").map((line) => line.split("\t")[0])).toEqual([
      ...["9007199254740993", "1.50", "-0", "1e400", "a\\u0009b\\u009b\\u202e", "\\u007f\\u2066\\u2028é", ""],
    ]);
    const { out } = await end(list, "--json", "--accept-401", ...inOrder);
    expect([...out.matchAll(/"id":(.*?),"server"/g)].map(([, id]) => id)).toEqual([
      ...["9007199254740993", "1.50", "-0", "1e400", '"a\\tb\\u009b\\u202e"', '"\\u007f\\u2066\\u2028é"'],
    ]);
    expect(out + texts).not.toMatch(/[\u007f-\u009f\u2028\p{Bidi_Control}]/u);
  });

  it("stops when its results are no longer read, as a process", async () => {
    const shell = '{ "$@"; echo "exit code $?" >&2; } | read line';
    const { child, result } = await cli.spawn(["logout", "--stdin", ...inOrder], { shell });
    child.stdin.write(listOf(logins(500)));
    // The input stays open: the command must not wait for its end.
    const { err } = await result;
    expect(err).toContain("Stopped: the output was closed.");
    expect(err).toContain("exit code 1\n");
    expect(endings(cli.sandbox).length).toBeLessThan(500);
  });

  it("takes no more memory than it may for 2,000 tokens, as a process", async () => {
    const file = cli.path("peak");
    const tokens = logins(2_000);
    const args = ["logout", "--stdin", "--json", "--journal", cli.path("journal")];
    const { child, result } = await cli.spawn(args, { execArgv: measured, env: { PEAK_MEMORY: file } });
    child.stdin.end(listOf(tokens));
    const { code, out } = await result;
    expect(code).toBe(0);
    expect(resultsOf(out)).toHaveLength(2_000);
    expect(aliveOf(tokens)).toEqual([]);
    expect(megabytesIn(file)).toBeLessThan(250);
  });
});

it("takes no more memory than it may for a line without end, as a process", async () => {
  const file = cli.path("peak");
  const { child, result } = await cli.spawn(["logout", "--stdin"], {
    execArgv: measured,
    env: { PEAK_MEMORY: file },
  });
  const chunk = Buffer.alloc(1_000_000, "x");
  for (let count = 0; count < 200; count++) if (!child.stdin.write(chunk)) await once(child.stdin, "drain");
  child.stdin.end();
  expect(await result).toMatchObject({ code: 1, out: "1\tinvalid-line\tit is too long\n" });
  expect(megabytesIn(file)).toBeLessThan(200);
});

describe("a 401 of a list", () => {
  const args = ["--stdin", "--json", ...inOrder];

  it.each([
    { when: "while no token got a 200", tokens: ["gone", "too"], expected: ["unconfirmed", "unconfirmed"] },
    {
      when: "before and after the first 200",
      tokens: ["gone", "alive", "too"],
      expected: ["already-invalid", "confirmed", "already-invalid"],
    },
    { when: "with --accept-401", more: ["--accept-401"], tokens: ["gone"], expected: ["already-invalid"] },
  ])("is $expected $when", async ({ more = [], tokens, expected }) => {
    for (const command of ["logout", "revoke"]) {
      const { accessToken } = cli.sandbox.authorize();
      const input = listOf(tokens.map((token) => (token === "alive" ? accessToken : token)));
      const { code, out, err } = await cli.run([command, ...args, ...more], { input });
      const isUnproven = expected.includes("unconfirmed");
      expect(resultsOf(out)).toEqual(
        expected.map((server, index) => ({
          ...{ line: index + 1, server },
          ...(isUnproven && { error: { code: "unauthorized", status: 401 } }),
        })),
      );
      expect(err.includes("is it the right environment?")).toBe(isUnproven);
      expect(err.includes("it says nothing of refresh tokens")).toBe(command === "revoke" && !isUnproven);
      expect(code).toBe(isUnproven ? 1 : 0);
    }
  });

  it("counts in no other region than that of the 200, and only by a 200 that confirms", async () => {
    const [token = ""] = logins(1);
    const serversOf = async (list: (string | object)[]) =>
      resultsOf((await end(list, "--json", ...inOrder)).out).map(({ server }) => server);
    expect(await serversOf([token, { accessToken: "gone", region: "us" }, "gone"])).toEqual([
      "confirmed",
      "unconfirmed",
      "already-invalid",
    ]);
    cli.sandbox.misbehave({ path: LOGOUT, status: 200, body: '{"success": false}', times: 1 });
    expect(await serversOf(["refused", "gone"])).toEqual(["unconfirmed", "unconfirmed"]);
  });
});

describe("a list that is hopeless", () => {
  const args = ["logout", "--stdin", "--json", "--journal"];
  const many = () => listOf(Array.from({ length: 100_000 }, (_, index) => `token-${index}`));

  it("stops in seconds at a server that is not there, and says why", async () => {
    const { code, out, err } = await cli.run([...args, cli.path("journal")], {
      input: many(),
      env: { BAANX_BASE_URL: await cli.deadUrl() },
    });
    expect(err).toMatch(
      /Stopped: the server does not answer, 20 times in a row \(network: ECONNREFUSED, nothing listens/,
    );
    expect(resultsOf(out).length).toBeLessThan(40);
    const error = { code: "network", cause: "ECONNREFUSED" };
    for (const result of resultsOf(out)) expect(result).toMatchObject({ server: "unconfirmed", error });
    expect(code).toBe(2);
  });

  it.each([
    { status: 498, env: { BAANX_CLIENT_KEY: "not-registered" }, says: "does not accept the client key" },
    { status: 499, env: {}, says: "no client key" },
  ])("stops at $status to everything", async ({ status, env, says }) => {
    if (status === 499) cli.sandbox.misbehave({ status });
    const { code, out, err } = await cli.run([...args, cli.path("journal")], { input: many(), env });
    expect(err).toContain(says);
    expect(endings(cli.sandbox).length).toBeGreaterThanOrEqual(20);
    expect(endings(cli.sandbox).length).toBeLessThan(40);
    expect(resultsOf(out)).toHaveLength(endings(cli.sandbox).length);
    expect(code).toBe(2);
  });

  it("goes on when the server comes back in time", async () => {
    cli.sandbox.misbehave({ path: LOGOUT, drop: true, times: 15 });
    const tokens = logins(40);
    const { code } = await end(tokens);
    expect(code).toBe(0);
    expect(aliveOf(tokens)).toEqual([]);
  });
});

describe("a list on 429", () => {
  it("pauses all of its requests, as long as Retry-After says", async () => {
    const burst = gate();
    let held = 0;
    let refusedAt = 0;
    cli.sandbox.misbehave({
      path: LOGOUT,
      times: 4,
      status: 429,
      headers: { "retry-after": "1" },
      body: async () => {
        held += 1;
        if (held === 4) burst.open();
        await burst.opened;
        refusedAt = performance.now();
        return "";
      },
    });
    const waited: number[] = [];
    confirm({}, () => waited.push(performance.now() - refusedAt));
    const tokens = logins(12);
    const { code } = await end(tokens, "--concurrency", "4");
    expect(code).toBe(0);
    expect(aliveOf(tokens)).toEqual([]);
    expect(endings(cli.sandbox)).toHaveLength(4 + 12);
    expect(Math.min(...waited)).toBeGreaterThan(990);
  });

  it("stops when the wait is too long to be one, and leaves the rest of the list alone", async () => {
    cli.sandbox.misbehave({ path: LOGOUT, status: 429, headers: { "retry-after": "86400" } });
    const { code, out, err } = await end(logins(20), "--json", "--concurrency", "2");
    expect(err).toContain("Stopped: the server asks to wait 1440 minutes");
    expect(code).toBe(1);
    expect(resultsOf(out)).toHaveLength(2);
    expect(endings(cli.sandbox)).toHaveLength(2);
  });
});

describe("a journal", () => {
  const args = (file: string) => ["logout", "--stdin", "--json", "--journal", file];

  it("continues a run that was killed: nothing is left out, nothing journaled is sent twice, as a process", async () => {
    const file = cli.path("journal");
    const tokens = logins(60);
    const input = listOf(tokens);
    // From the 31st on no answer comes, so the kill meets eight requests in flight.
    const undo = confirm({ times: 30 });
    cli.sandbox.misbehave({ path: LOGOUT, handled: true, delay: "forever", times: 8 });
    const { child, result } = await cli.spawn(args(file));
    child.stdin.write(input);
    await vi.waitFor(() => expect(endings(cli.sandbox)).toHaveLength(38), { timeout: 20_000 });
    await vi.waitFor(() => expect(readFileSync(file, "utf8").match(/confirmed\n/g)).toHaveLength(30));
    child.kill("SIGKILL");
    await result;
    undo();

    const { code, out } = await cli.run(args(file), { input });
    const results = resultsOf(out);
    expect(results).toHaveLength(60);
    expect(results.filter(({ journaled }) => journaled)).toHaveLength(30);
    // The server had ended them before the kill, and its answers were lost.
    expect(results.filter(({ server }) => server === "already-invalid")).toHaveLength(8);
    expect(code).toBe(0);
    expect(aliveOf(tokens)).toEqual([]);
    expect(endings(cli.sandbox)).toHaveLength(38 + 30);

    const again = await cli.run(args(file), { input });
    expect(again.code).toBe(0);
    expect(endings(cli.sandbox)).toHaveLength(38 + 30);
  });

  it("finishes requests in flight after SIGINT, names the remaining lines and exits with 130", async () => {
    const file = cli.path("journal");
    const { open, opened } = gate();
    confirm({}, () => opened);
    const { stdin, result, interrupt } = cli.start(args(file));
    stdin.push(listOf(logins(40)));
    await vi.waitFor(() => expect(endings(cli.sandbox)).toHaveLength(8), { timeout: 20_000 });
    interrupt("SIGINT");
    open();
    const { code, out, err } = await result();
    expect(err).toMatch(/^Stopped: interrupted \(SIGINT\)/);
    expect(err).toContain(
      `\nLeft: every line after line 8. With the same list, run again: npx --no -- baanx-session logout --stdin --json --journal ${file}\n`,
    );
    expect(code).toBe(130);
    expect(resultsOf(out)).toHaveLength(8);
    expect(endings(cli.sandbox)).toHaveLength(8);
    expect(readFileSync(file, "utf8").match(/confirmed\n/g)).toHaveLength(8);
  });

  it("ends by SIGTERM while it waits for a further line", async () => {
    const { stdin, stdout, result, interrupt } = cli.start(args(cli.path("journal")));
    stdin.push(listOf(logins(1)));
    await once(stdout, "readable");
    interrupt("SIGTERM");
    expect(await result()).toMatchObject({ code: 143 });
  });

  it("ends at once by a second signal, as a process", async () => {
    cli.sandbox.misbehave({ path: LOGOUT, delay: "forever" });
    const { child, result } = await cli.spawn(args(cli.path("journal")));
    child.stdin.write(listOf(logins(1)));
    await vi.waitFor(() => expect(endings(cli.sandbox)).toHaveLength(1), { timeout: 20_000 });
    child.kill("SIGTERM");
    await once(child.stderr, "readable");
    child.kill("SIGINT");
    expect(await result).toMatchObject({ code: null });
  });

  it("reports for a journaled line how its token had ended, and the journal as the source", async () => {
    const file = cli.path("journal");
    const [token = ""] = logins(1);
    const input = listOf([
      { accessToken: token, id: "ada" },
      { accessToken: "gone", id: "bob" },
    ]);
    await cli.run(args(file), { input });
    const { code, out } = await cli.run(args(file), { input });
    expect(resultsOf(out)).toEqual([
      { line: 1, id: "ada", server: "confirmed", journaled: true },
      { line: 2, id: "bob", server: "already-invalid", journaled: true },
    ]);
    expect(code).toBe(0);
    const words = await cli.run(["logout", "--stdin", "--journal", file], { input });
    expect(words.out.split("\n").sort()).toEqual([
      "",
      "ada\tconfirmed\tfrom the journal",
      "bob\talready-invalid\tfrom the journal",
    ]);
    expect(words.err).toContain("1 confirmed, 1 already-invalid (2 from the journal)");
  });

  it("reads the journal for --dry-run, which changes and sends nothing", async () => {
    const file = cli.path("journal");
    const [first = "", second = ""] = logins(2);
    const dry = (input: string) => cli.run(["logout", "--stdin", "--dry-run", "--journal", file], { input });
    expect(await dry(listOf([first]))).toMatchObject({
      code: 0,
      out: "",
      err: "1 to send. Nothing was sent.\n",
    });
    expect(existsSync(file)).toBe(false);
    await end([first], "--journal", file);
    const before = readFileSync(file, "utf8");
    const { code, out, err } = await dry(`${listOf([first, second])}no JSON\n`);
    expect(err).toBe("1 to send, 1 from the journal, 1 invalid-line. Nothing was sent.\n");
    expect(out).toBe("3\tinvalid-line\tthe token has blanks: trim it and pass one token\n");
    expect(code).toBe(1);
    expect(readFileSync(file, "utf8")).toBe(before);
    expect(endings(cli.sandbox)).toHaveLength(1);
    expect(await cli.run(["logout", "--stdin", "--dry-run"], { input: "" })).toMatchObject({ code: 2 });
  });

  it("writes no token and no client key to the journal or the output", async () => {
    const file = cli.path("journal");
    const tokens = [...logins(3), "gone-token"];
    const { out, err } = await end(tokens, "--json", "--journal", file);
    const texts = out + err + readFileSync(file, "utf8");
    for (const secret of [...tokens, cli.sandbox.clientKey]) expect(texts).not.toContain(secret);
  });

  it("does not record an outcome that is not final", async () => {
    const file = cli.path("journal");
    const input = listOf(logins(1));
    cli.sandbox.misbehave({ path: LOGOUT, status: 403, times: 1 });
    expect(await cli.run(args(file), { input })).toMatchObject({ code: 1 });
    expect(readFileSync(file, "utf8")).toBe("baanx-session journal v1\n");
    expect(existsSync(`${file}.lock`)).toBe(false);
    const { code, out } = await cli.run(args(file), { input });
    expect(resultsOf(out)).toEqual([{ line: 1, server: "confirmed" }]);
    expect(code).toBe(0);
  });

  it("knows a token only for its region, its endpoint and its address", async () => {
    const file = cli.path("journal");
    const { accessToken } = cli.sandbox.authorize();
    const run = (command: string, row: object, env = {}) =>
      cli.run([command, "--stdin", "--json", "--accept-401", "--journal", file], {
        input: listOf([row]),
        env,
      });
    await run("logout", { accessToken });
    const sent = endings(cli.sandbox).length;
    await run("logout", { accessToken, region: "us" });
    await run("revoke", { accessToken });
    const localhost = cli.sandbox.url.replace("127.0.0.1", "localhost");
    await run("logout", { accessToken }, { BAANX_BASE_URL: localhost });
    expect(endings(cli.sandbox)).toHaveLength(sent + 3);
    expect(endings(cli.sandbox).filter((path) => path === REVOKE)).toHaveLength(1);
    await run("logout", { accessToken }, { BAANX_BASE_URL: `${cli.sandbox.url}/` });
    expect(endings(cli.sandbox)).toHaveLength(sent + 3);
  });

  it("ignores a torn last line of the journal", async () => {
    const file = cli.path("journal");
    const tokens = logins(3);
    const input = listOf(tokens);
    await cli.run(args(file), { input });
    writeFileSync(file, readFileSync(file, "utf8").slice(0, -20));
    const torn = await cli.run([...args(file), "--accept-401"], { input });
    expect(torn.code).toBe(0);
    expect(resultsOf(torn.out).filter(({ journaled }) => journaled)).toHaveLength(2);
    const again = await cli.run(args(file), { input });
    expect(resultsOf(again.out).filter(({ journaled }) => journaled)).toHaveLength(3);
    expect(again.err).toContain("1 lines of the journal are ignored: they are torn.");
  });

  it("completes a journal that was torn in its first line", async () => {
    const file = cli.path("journal");
    writeFileSync(file, "baanx-ses");
    const input = listOf(logins(1));
    expect(await cli.run(args(file), { input })).toMatchObject({ code: 0 });
    expect(resultsOf((await cli.run(args(file), { input })).out)).toEqual([
      { line: 1, server: "confirmed", journaled: true },
    ]);
  });

  it("refuses a file that is not a journal, and leaves it unchanged", async () => {
    const file = cli.path("list.jsonl");
    const input = listOf(logins(2));
    writeFileSync(file, input);
    expect(await cli.run(args(file), { input })).toMatchObject({ code: 2, out: "" });
    expect(readFileSync(file, "utf8")).toBe(input);
    expect(await cli.run(args("/dev/null"), { input })).toMatchObject({ code: 2, out: "" });
    expect(existsSync("/dev/null.lock")).toBe(false);
    expect(await cli.run(args("/nowhere/journal"), { input })).toMatchObject({ code: 2, out: "" });
    expect(endings(cli.sandbox)).toEqual([]);
  });

  it("records each token before its result is printed", async () => {
    const file = cli.path("journal");
    const { stdin, stdout, code } = cli.start(args(file));
    const ahead: number[] = [];
    (stdout as PassThrough).on("data", () => {
      const entries = readFileSync(file, "utf8").match(/ confirmed$/gm)?.length ?? 0;
      ahead.push(entries - ahead.length);
    });
    stdin.push(listOf(logins(20)));
    stdin.push(null);
    expect(await code).toBe(0);
    expect(ahead).toHaveLength(20);
    expect(Math.min(...ahead)).toBeGreaterThan(0);
  });

  it("keeps whole lines in the journal and in the results until the disk is full, as a process", async () => {
    const journal = cli.path("journal");
    const results = cli.path("results.jsonl");
    const tokens = logins(100);
    const input = listOf(tokens);
    const run = async (blocks: number) => {
      // A limit for the files of a process, in blocks of 512 bytes. It cuts a line short.
      const shell = `ulimit -f ${blocks}; exec "$@" >> '${results}'`;
      const { child, result } = await cli.spawn([...args(journal), "--concurrency", "1"], { shell });
      child.stdin.end(input);
      return result;
    };
    const first = await run(1);
    expect(first.err).toContain("Stopped: the journal cannot be written (EFBIG).");
    expect(first.code).toBe(1);
    const journaled = () => readFileSync(journal, "utf8").match(/^[0-9a-f]{64} confirmed$/gm)?.length ?? 0;
    expect(readFileSync(journal, "utf8")).toMatch(/^(.+\n)+$/);
    expect(resultsOf(readFileSync(results, "utf8"))).toHaveLength(journaled() + 1);

    writeFileSync(journal, "");
    const second = await run(2);
    expect(second.err).toContain("Stopped: the results cannot be written (EFBIG).");
    expect(second.code).toBe(1);
    const whole = resultsOf(readFileSync(results, "utf8"));

    // A crash has torn the last line: the next one begins on its own.
    writeFileSync(results, readFileSync(results, "utf8").slice(0, -9));
    const last = await run(1_000);
    expect(last.err).toContain("The last line of the earlier results was torn: it is ended.");
    expect(last.code).toBe(0);
    const lines = readFileSync(results, "utf8").trim().split("\n");
    expect(() => JSON.parse(lines[whole.length - 1] ?? "")).toThrow("JSON");
    expect(resultsOf(lines.filter((_, index) => index !== whole.length - 1).join("\n"))).toHaveLength(
      whole.length - 1 + 100,
    );
    expect(aliveOf(tokens)).toEqual([]);
  });

  it("accepts a 401 if an earlier run has proven the same address, region and client key", async () => {
    const file = cli.path("journal");
    const here = cli.sandbox.url;
    const there = here.replace("127.0.0.1", "localhost");
    const server = async (accessToken: string, options: { env?: object; row?: object } = {}) => {
      const { out } = await cli.run(args(file), {
        input: listOf([{ accessToken, ...options.row }]),
        env: { BAANX_BASE_URL: here, ...options.env },
      });
      return resultsOf(out)[0]?.["server"];
    };
    expect(await server("gone")).toBe("unconfirmed");
    expect(await server(logins(1)[0] ?? "")).toBe("confirmed");
    expect(await server("gone")).toBe("already-invalid");
    expect(await server("gone-too", { row: { region: "us" } })).toBe("unconfirmed");
    expect(await server("gone-too", { env: { BAANX_BASE_URL: there } })).toBe("unconfirmed");
    cli.sandbox.misbehave({ path: LOGOUT, status: 401 });
    expect(await server("gone-too", { env: { BAANX_CLIENT_KEY: "another" } })).toBe("unconfirmed");
    expect(readFileSync(file, "utf8")).not.toContain(cli.sandbox.clientKey);
  });

  it("refuses a second run on one journal, but not after a run that is dead", async () => {
    const file = cli.path("journal");
    const { stdin, stdout, result } = cli.start(args(file));
    stdin.push(listOf(logins(1)));
    await once(stdout, "readable");
    const input = listOf(logins(1));
    const second = await cli.run(args(file), { input });
    expect(second).toMatchObject({ code: 2, out: "" });
    expect(second.err).toContain("The journal cannot be used: another run uses it.");
    // Checks and counts only.
    expect(await cli.run([...args(file), "--dry-run"], { input })).toMatchObject({ code: 0 });
    stdin.push(null);
    expect(await result()).toMatchObject({ code: 0 });

    const lock = `${file}.lock`;
    const old = new Date(Date.now() - 61_000);
    const held = async () => (await cli.run(args(file), { input })).code === 2;
    writeFileSync(lock, `${process.pid} another-machine\n`);
    expect(await held()).toBe(true);
    utimesSync(lock, old, old);
    expect(await held()).toBe(false);
    // No process has so high a number.
    writeFileSync(lock, `999999999 ${hostname()}\n`);
    expect(await held()).toBe(false);
    expect(existsSync(lock)).toBe(false);
  });
});

it("prints results and errors only with --quiet", async () => {
  const tokens = logins(1);
  expect(await end(tokens, "--quiet")).toEqual({ code: 0, out: "1\tconfirmed\n", err: "" });
  expect((await end(tokens, "--quiet")).err).toContain("1 unconfirmed");
});

it("counts the remaining lines and repeats the command, quoted for a shell", async () => {
  const { err } = await end(["gone", {}], "--journal", cli.path("it's a journal"));
  expect(err.split("\n").at(-2)).toMatch(
    /^Left: 1 unconfirmed, 1 lines to correct\. With the same list, run again: npx --no -- baanx-session logout --stdin --journal '\/.*it'\\''s a journal'$/,
  );
});

it("counts the errors by their reason, with the message of the server and the section of the documents", async () => {
  const { out, err } = await cli.run(["revoke", "--stdin", ...inOrder], { input: listOf(logins(2)) });
  expect(out).toBe("1\tunconfirmed\trejected\n2\tunconfirmed\trejected\n");
  expect(err).toMatch(
    /\n2 × rejected: status 403: Not a token of an OAuth client \(docs\/results-and-errors\.md#rejected\)\nLeft: 2 /,
  );
});

it("shows the progress on a terminal, in colour unless NO_COLOR is set, as a process", async () => {
  const file = cli.path("list.jsonl");
  const tokens = logins(3);
  writeFileSync(file, listOf(tokens));
  const onTerminal = async (env: Record<string, string>) => {
    const options = { execArgv: terminal, shell: `exec "$@" < '${file}'` };
    const { result } = await cli.spawn(["logout", "--stdin"], {
      ...options,
      env: { TERM: "xterm-256color", ...env },
    });
    const { out, err } = await result;
    return out + err;
  };
  const shown = await onTerminal({});
  expect(shown).toContain("\r\x1b[K100% | 3 done | ");
  expect(shown).toMatch(/ \d+\/s \| 0 s left\n/);
  expect(shown).toContain("\x1b[32mconfirmed\x1b[39m");
  for (const token of tokens) expect(shown).not.toContain(token);
  const plain = await onTerminal({ NO_COLOR: "1" });
  expect(plain).toContain("unconfirmed");
  expect(plain).not.toContain("\x1b[3");
});
