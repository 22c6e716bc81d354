/** Lists of tokens through the command: what is sent, what is reported of each line, and what it comes to. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { describe, expect, it, vi } from "vitest";
import { listOf, measured, resultsOf, terminal, useCli } from "./cli-support.ts";
import { endings, LOGOUT, REVOKE } from "./support.ts";

const cli = useCli();

const logins = (count: number) => Array.from({ length: count }, () => cli.sandbox.login().accessToken);
const aliveOf = (tokens: string[]) => tokens.filter((token) => cli.sandbox.isAlive(token));
const rowsOf = (tokens: string[]) => tokens.map((accessToken) => ({ accessToken }));

const megabytesIn = (file: string) => (Number(readFileSync(file, "utf8")) * 1_024) / 1_000_000;

/** A promise, and what resolves it. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

describe("a list", () => {
  it("is ended, each token in its region, with a result for each line by its id or its number", async () => {
    const [first = "", second = ""] = logins(2);
    const { accessToken } = cli.sandbox.login(cli.sandbox.user.id, "us");
    const rows = [
      { accessToken: first, id: "ada" },
      { accessToken: second },
      { accessToken, region: "us", id: 7 },
    ];
    const { code, out, err } = await cli.run(["logout", "--stdin", "--concurrency", "1"], {
      input: listOf(rows),
    });
    expect(out).toBe("ada\tconfirmed\n2\tconfirmed\n7\tconfirmed\n");
    expect(err).toMatch(/^3 confirmed; \d+\.\d s, \S+\/s\.\n$/);
    expect(code).toBe(0);
    expect(aliveOf([first, second, accessToken])).toEqual([]);
  });

  it("goes on after lines that are not valid, reports their numbers and quotes nothing of them", async () => {
    const [token = ""] = logins(1);
    const secret = "US_secret";
    const lines = [
      secret,
      `["${secret}"]`,
      `{"accessToken": "${secret} "}`,
      `{"accessToken": "${secret}", "region": "${secret}"}`,
      `{"accessToken": "${secret}", "id": "of ${secret}"}`,
      `{"accessToken": "${secret}", "id": {}}`,
      `{"accessToken": "${secret}", "id": "${"x".repeat(201)}"}`,
      `{"accessToken": "${secret}${"x".repeat(70_000)}"}`,
      "  ",
      JSON.stringify({ accessToken: token, id: "last" }),
    ];
    const { code, out, err } = await cli.run(["logout", "--stdin", "--json"], { input: lines.join("\r\n") });
    expect(resultsOf(out).map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 10]);
    expect(resultsOf(out).at(-1)).toEqual({ line: 10, id: "last", server: "confirmed" });
    expect(out + err).not.toContain(secret);
    expect(code).toBe(1);
    expect(endings(cli.sandbox)).toHaveLength(1);
  });

  it("asks so many at once as --concurrency says, and 8 by default", async () => {
    for (const [args, expected] of [
      [[], 8],
      [["--concurrency", "3"], 3],
    ] as const) {
      const { open, opened } = gate();
      let under = 0;
      let most = 0;
      const undo = cli.sandbox.misbehave({
        path: LOGOUT,
        handled: true,
        body: async () => {
          under += 1;
          most = Math.max(most, under);
          if (under === expected) open();
          await opened;
          under -= 1;
          return '{"success": true}';
        },
      });
      const { code } = await cli.run(["logout", "--stdin", ...args], { input: listOf(rowsOf(logins(40))) });
      undo();
      expect({ code, most }).toEqual({ code: 0, most: expected });
    }
  });

  it("is unconfirmed where the server does not confirm, after further attempts", async () => {
    const [token = "", other = ""] = logins(2);
    cli.sandbox.misbehave({ path: LOGOUT, status: 503, times: 2 });
    const args = ["logout", "--stdin", "--json", "--concurrency", "1"];
    expect(await cli.run(args, { input: listOf(rowsOf([token])) })).toMatchObject({ code: 0 });
    cli.sandbox.misbehave({ path: LOGOUT, status: 503, times: 3 });
    const { code, out } = await cli.run(args, { input: listOf(rowsOf([other])) });
    expect(resultsOf(out)).toEqual([
      { line: 1, server: "unconfirmed", error: { code: "server-error", status: 503 } },
    ]);
    expect(code).toBe(1);
    expect(endings(cli.sandbox)).toHaveLength(6);
  });

  it("is unconfirmed with --verify where a token is accepted afterwards", async () => {
    const [lying = "", honest = ""] = logins(2);
    cli.sandbox.misbehave({ path: LOGOUT, status: 200, body: '{"success": true}', times: 1 });
    const { code, out } = await cli.run(["logout", "--stdin", "--json", "--verify", "--concurrency", "1"], {
      input: listOf(rowsOf([lying, honest])),
    });
    expect(resultsOf(out)).toEqual([
      { line: 1, server: "unconfirmed", verified: "active" },
      { line: 2, server: "confirmed", verified: "invalid" },
    ]);
    expect(code).toBe(1);
  });

  it.each(["", "\n \n"])("that is empty (%j) is wrong usage", async (input) => {
    const { code, out, err } = await cli.run(["logout", "--stdin"], { input });
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("The list is empty");
  });

  it("says of a line that is not valid what is wrong with it", async () => {
    const secret = "US_secret-in-a-list-1234567";
    const lines = [
      [`{"accessToken": "${secret}", "Region": "us"}`, "the key Region is not known: did you mean region?"],
      [`{"accessToken": "${secret}", "env": "us"}`, "the key env is not known"],
      [`{"${secret}": "us"}`, "a key is not known"],
      [`{"access_token": "${secret}"}`, "the key access_token is not known: did you mean accessToken?"],
      [`{"region": "us"}`, "accessToken is missing"],
      [`{"accessToken": 7}`, "accessToken must be a text"],
      [
        `{"accessToken": "\\"${secret}\\""}`,
        "accessToken is in quotation marks: leave them out (jq -r does)",
      ],
      [`{"accessToken": "${secret} x"}`, "accessToken has blanks: trim it and pass one token"],
      [`{"accessToken": "${secret}", "region": null}`, "region must be international or us"],
      [
        `{"accessToken": "${secret}", "id": null}`,
        "id must be a number, or a text of at most 200 characters",
      ],
    ];
    for (const args of [[], ["--dry-run"]]) {
      const { code, out } = await cli.run(["logout", "--stdin", "--json", ...args], {
        input: lines.map(([line]) => `${line}\n`).join(""),
      });
      expect(resultsOf(out)).toEqual(lines.map(([, invalid], index) => ({ line: index + 1, invalid })));
      expect(out).not.toContain(secret);
      expect(code).toBe(1);
    }
    expect(endings(cli.sandbox)).toEqual([]);
  });

  it("stops when nobody reads its results any more", async () => {
    const { child, result } = cli.start(["logout", "--stdin", "--concurrency", "1"]);
    child.stdout.once("data", () => child.stdout.destroy());
    child.stdin.write(listOf(rowsOf(logins(500))));
    // The input stays open: the command must not wait for its end.
    const { code, err } = await result;
    expect(code).toBe(1);
    expect(err).toContain("Stopped: the output was closed.");
    expect(endings(cli.sandbox).length).toBeLessThan(500);
  });

  it("of 5,000 tokens takes no more memory than it may", async () => {
    const file = cli.path("peak");
    const tokens = logins(5_000);
    const { code, out } = await cli.run(["logout", "--stdin", "--json", "--journal", cli.path("journal")], {
      input: listOf(rowsOf(tokens)),
      execArgv: measured,
      env: { PEAK_MEMORY: file },
    });
    expect(code).toBe(0);
    expect(resultsOf(out)).toHaveLength(5_000);
    expect(aliveOf(tokens)).toEqual([]);
    expect(megabytesIn(file)).toBeLessThan(150);
  });
});

it("a line without end takes no more memory than it may", async () => {
  const file = cli.path("peak");
  const { child, result } = cli.start(["logout", "--stdin"], {
    execArgv: measured,
    env: { PEAK_MEMORY: file },
  });
  const chunk = Buffer.alloc(1_000_000, "x");
  for (let count = 0; count < 200; count++) if (!child.stdin.write(chunk)) await once(child.stdin, "drain");
  child.stdin.end();
  expect(await result).toMatchObject({ code: 1, out: "1\tinvalid-line\tit is too long\n" });
  expect(megabytesIn(file)).toBeLessThan(150);
});

describe("a 401 of a list", () => {
  const args = ["--stdin", "--json", "--concurrency", "1"];
  const unproven = { server: "unconfirmed", error: { code: "unauthorized", status: 401 } };

  it.each(["logout", "revoke"])("is unconfirmed in %s while no token got a 200", async (command) => {
    const { code, out, err } = await cli.run([command, ...args], { input: listOf(rowsOf(["gone", "too"])) });
    expect(resultsOf(out)).toEqual([
      { line: 1, ...unproven },
      { line: 2, ...unproven },
    ]);
    expect(err).toContain("is it the right environment?");
    expect(code).toBe(1);
  });

  it.each(["logout", "revoke"])("counts in %s, before and after the first 200", async (command) => {
    const { accessToken } = cli.sandbox.authorize();
    const { code, out, err } = await cli.run([command, ...args], {
      input: listOf(rowsOf(["gone", accessToken, "gone-too"])),
    });
    expect(resultsOf(out).map(({ server }) => server)).toEqual([
      "already-invalid",
      "confirmed",
      "already-invalid",
    ]);
    expect(err.includes("it says nothing of refresh tokens")).toBe(command === "revoke");
    expect(code).toBe(0);
  });

  it("counts in no other region than that of the 200", async () => {
    const [token = ""] = logins(1);
    const rows = [{ accessToken: token }, { accessToken: "gone", region: "us" }, { accessToken: "gone" }];
    const { code, out } = await cli.run(["logout", ...args], { input: listOf(rows) });
    expect(resultsOf(out).map(({ server }) => server)).toEqual([
      "confirmed",
      "unconfirmed",
      "already-invalid",
    ]);
    expect(code).toBe(1);
  });

  it("does not count by a 200 that does not confirm", async () => {
    cli.sandbox.misbehave({ path: LOGOUT, status: 200, body: '{"success": false}', times: 1 });
    const { out } = await cli.run(["logout", ...args], { input: listOf(rowsOf(["refused", "gone"])) });
    expect(resultsOf(out).map(({ server }) => server)).toEqual(["unconfirmed", "unconfirmed"]);
  });

  it("counts with --accept-401", async () => {
    const input = listOf(rowsOf(["gone"]));
    const { code, out } = await cli.run(["revoke", ...args, "--accept-401"], { input });
    expect(resultsOf(out)).toEqual([{ line: 1, server: "already-invalid" }]);
    expect(code).toBe(0);
  });
});

describe("a list that is hopeless", () => {
  const args = ["logout", "--stdin", "--json", "--journal"];
  const many = () => listOf(rowsOf(Array.from({ length: 100_000 }, (_, index) => `token-${index}`)));

  it("stops in seconds at a server that is not there, and says why", async () => {
    const { code, out, err } = await cli.run([...args, cli.path("journal")], {
      input: many(),
      env: { BAANX_BASE_URL: await cli.deadUrl() },
    });
    expect(err).toMatch(
      /Stopped: the server does not answer, 20 times in a row \(network: ECONNREFUSED, nothing listens/,
    );
    expect(resultsOf(out).length).toBeLessThan(40);
    for (const { server, error } of resultsOf(out))
      expect({ server, error }).toEqual({
        server: "unconfirmed",
        error: { code: "network", cause: "ECONNREFUSED" },
      });
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
    const { code } = await cli.run([...args, cli.path("journal")], { input: listOf(rowsOf(tokens)) });
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
    cli.sandbox.misbehave({
      path: LOGOUT,
      handled: true,
      body() {
        waited.push(performance.now() - refusedAt);
        return '{"success": true}';
      },
    });
    const tokens = logins(12);
    const { code } = await cli.run(["logout", "--stdin", "--concurrency", "4"], {
      input: listOf(rowsOf(tokens)),
    });
    expect(code).toBe(0);
    expect(aliveOf(tokens)).toEqual([]);
    expect(endings(cli.sandbox)).toHaveLength(4 + 12);
    expect(Math.min(...waited)).toBeGreaterThan(990);
  });

  it("stops when the wait is too long to be one, and leaves the rest of the list alone", async () => {
    cli.sandbox.misbehave({ path: LOGOUT, status: 429, headers: { "retry-after": "86400" } });
    const tokens = logins(20);
    const { code, out, err } = await cli.run(["logout", "--stdin", "--json", "--concurrency", "2"], {
      input: listOf(rowsOf(tokens)),
    });
    expect(err).toContain("Stopped: the server asks to wait 1440 minutes");
    expect(code).toBe(1);
    expect(resultsOf(out)).toHaveLength(2);
    expect(endings(cli.sandbox)).toHaveLength(2);
  });
});

describe("a journal", () => {
  const args = (file: string) => ["logout", "--stdin", "--json", "--journal", file];

  it("lets a run go on where another one was killed: nothing is left out, nothing journaled is sent twice", async () => {
    const file = cli.path("journal");
    const tokens = logins(60);
    const input = listOf(rowsOf(tokens));
    // From the 31st on no answer comes, so the kill meets eight requests that are under way.
    const undo = cli.sandbox.misbehave({
      path: LOGOUT,
      handled: true,
      times: 30,
      status: 200,
      body: '{"success": true}',
    });
    cli.sandbox.misbehave({ path: LOGOUT, handled: true, delay: "forever", times: 8 });
    const { child, result } = cli.start(args(file));
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
    // They were ended when the kill came, which nobody could know.
    expect(results.filter(({ server }) => server === "already-invalid")).toHaveLength(8);
    expect(code).toBe(0);
    expect(aliveOf(tokens)).toEqual([]);
    expect(endings(cli.sandbox)).toHaveLength(38 + 30);

    const again = await cli.run(args(file), { input });
    expect(again.code).toBe(0);
    expect(endings(cli.sandbox)).toHaveLength(38 + 30);
  });

  it("ends by SIGINT with what is under way, and then says so and exits with 130", async () => {
    const file = cli.path("journal");
    const { open, opened } = gate();
    const undo = cli.sandbox.misbehave({
      path: LOGOUT,
      handled: true,
      body: async () => {
        await opened;
        return '{"success": true}';
      },
    });
    const tokens = logins(40);
    const { child, result } = cli.start(args(file));
    child.stdin.write(listOf(rowsOf(tokens)));
    await vi.waitFor(() => expect(endings(cli.sandbox)).toHaveLength(8), { timeout: 20_000 });
    child.kill("SIGINT");
    await once(child.stderr, "data");
    open();
    const { code, out, err } = await result;
    undo();
    expect(err).toContain("Stopped: interrupted (SIGINT)");
    expect(code).toBe(130);
    expect(resultsOf(out)).toHaveLength(8);
    expect(endings(cli.sandbox)).toHaveLength(8);
    expect(readFileSync(file, "utf8").match(/confirmed\n/g)).toHaveLength(8);
  });

  it("ends by SIGTERM while nobody writes a further line", async () => {
    const { child, result } = cli.start(args(cli.path("journal")));
    child.stdin.write(listOf(rowsOf(logins(1))));
    await once(child.stdout, "data");
    child.kill("SIGTERM");
    expect(await result).toMatchObject({ code: 143 });
  });

  it("says of each line that it knows how it had ended, and that it knows it from there", async () => {
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

  it("is read and left as it is by --dry-run, which counts and sends nothing", async () => {
    const file = cli.path("journal");
    const [first = "", second = ""] = logins(2);
    const dry = (input: string) => cli.run(["logout", "--stdin", "--dry-run", "--journal", file], { input });
    expect(await dry(listOf(rowsOf([first])))).toMatchObject({
      code: 0,
      out: "",
      err: "1 to send. Nothing was sent.\n",
    });
    expect(existsSync(file)).toBe(false);
    await cli.run(args(file), { input: listOf(rowsOf([first])) });
    const before = readFileSync(file, "utf8");
    const { code, out, err } = await dry(`${listOf(rowsOf([first, second]))}no JSON\n`);
    expect(err).toBe("1 to send, 1 from the journal, 1 invalid-line. Nothing was sent.\n");
    expect(out).toBe("3\tinvalid-line\tit is no JSON object\n");
    expect(code).toBe(1);
    expect(readFileSync(file, "utf8")).toBe(before);
    expect(endings(cli.sandbox)).toHaveLength(1);
    expect(await cli.run(["logout", "--stdin", "--dry-run"], { input: "" })).toMatchObject({ code: 2 });
  });

  it("holds no token and no key, and neither does what is printed", async () => {
    const file = cli.path("journal");
    const tokens = [...logins(3), "gone-token"];
    const { out, err } = await cli.run(args(file), { input: listOf(rowsOf(tokens)) });
    const texts = out + err + readFileSync(file, "utf8");
    for (const secret of [...tokens, cli.sandbox.clientKey]) expect(texts).not.toContain(secret);
  });

  it("does not count an outcome that is not final", async () => {
    const file = cli.path("journal");
    const input = listOf(rowsOf(logins(1)));
    cli.sandbox.misbehave({ path: LOGOUT, status: 403, times: 1 });
    expect(await cli.run(args(file), { input })).toMatchObject({ code: 1 });
    expect(readFileSync(file, "utf8")).toBe("baanx-session journal v1\n");
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
    await run(
      "logout",
      { accessToken },
      { BAANX_BASE_URL: cli.sandbox.url.replace("127.0.0.1", "localhost") },
    );
    expect(endings(cli.sandbox)).toHaveLength(sent + 3);
    expect(endings(cli.sandbox).filter((path) => path === REVOKE)).toHaveLength(1);
    await run("logout", { accessToken }, { BAANX_BASE_URL: `${cli.sandbox.url}/` });
    expect(endings(cli.sandbox)).toHaveLength(sent + 3);
  });

  it("survives a torn last line, which counts for nothing", async () => {
    const file = cli.path("journal");
    const tokens = logins(3);
    const input = listOf(rowsOf(tokens));
    await cli.run(args(file), { input });
    const whole = readFileSync(file, "utf8");
    writeFileSync(file, whole.slice(0, -20));
    const torn = await cli.run([...args(file), "--accept-401"], { input });
    expect(torn.code).toBe(0);
    expect(resultsOf(torn.out).filter(({ journaled }) => journaled)).toHaveLength(2);
    const again = await cli.run(args(file), { input });
    expect(resultsOf(again.out).filter(({ journaled }) => journaled)).toHaveLength(3);
    expect(again.err).toContain("1 lines of the journal count for nothing");
  });

  it("may have been torn in its very first line", async () => {
    const file = cli.path("journal");
    writeFileSync(file, "baanx-ses");
    const input = listOf(rowsOf(logins(1)));
    expect(await cli.run(args(file), { input })).toMatchObject({ code: 0 });
    expect(resultsOf((await cli.run(args(file), { input })).out)).toEqual([
      { line: 1, server: "confirmed", journaled: true },
    ]);
  });

  it("is refused, and left as it is, when it is something else", async () => {
    const file = cli.path("list.jsonl");
    const input = listOf(rowsOf(logins(2)));
    writeFileSync(file, input);
    expect(await cli.run(args(file), { input })).toMatchObject({ code: 2, out: "" });
    expect(readFileSync(file, "utf8")).toBe(input);
    expect(await cli.run(args("/dev/null"), { input })).toMatchObject({ code: 2, out: "" });
    expect(await cli.run(args("/nowhere/journal"), { input })).toMatchObject({ code: 2, out: "" });
    expect(endings(cli.sandbox)).toEqual([]);
  });

  it("that cannot be written any more stops the run", async () => {
    const file = cli.path("journal");
    // A limit of 512 bytes on what a process writes to a file: its header and six lines.
    const command = `ulimit -f 1; exec "$0" "$@"`;
    const child = spawn(
      "sh",
      ["-c", command, process.execPath, cli.file, ...args(file), "--concurrency", "1"],
      {
        env: { BAANX_BASE_URL: cli.sandbox.url, BAANX_CLIENT_KEY: cli.sandbox.clientKey },
      },
    );
    child.stdin.write(listOf(rowsOf(logins(100))));
    const said = text(child.stderr);
    child.stdout.resume();
    const [code] = await once(child, "close");
    expect(await said).toContain("Stopped: the journal cannot be written (EFBIG).");
    expect(code).toBe(1);
    expect(endings(cli.sandbox).length).toBeLessThan(20);
  });
});

describe("the progress of a list", () => {
  it("is shown on a terminal, with rate and time left where the list is a file, and without colour by NO_COLOR", async () => {
    const file = cli.path("list.jsonl");
    const tokens = logins(3);
    writeFileSync(file, listOf(rowsOf(tokens)));
    const onTerminal = async (env: Record<string, string>) => {
      const command = `exec "$0" "$@" < '${file}'`;
      const args = [...terminal, cli.file, "logout", "--stdin"];
      const child = spawn("sh", ["-c", command, process.execPath, ...args], {
        env: {
          PATH: process.env["PATH"],
          TERM: "xterm-256color",
          BAANX_BASE_URL: cli.sandbox.url,
          BAANX_CLIENT_KEY: cli.sandbox.clientKey,
          ...env,
        },
      });
      const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
      return out + err;
    };
    const shown = await onTerminal({});
    expect(shown).toMatch(/█+.* 100% \| 3 done \| \d+\/s \| \d+s left/);
    expect(shown).toContain("\x1b[32mconfirmed\x1b[39m");
    for (const token of tokens) expect(shown).not.toContain(token);
    const plain = await onTerminal({ NO_COLOR: "1" });
    expect(plain).toContain("unconfirmed");
    expect(plain).not.toContain("\x1b[3");
  });

  it("is silent elsewhere", async () => {
    const { err } = await cli.run(["logout", "--stdin"], { input: listOf(rowsOf(logins(2))) });
    expect(err).toMatch(/^2 confirmed; .*\n$/);
  });
});
