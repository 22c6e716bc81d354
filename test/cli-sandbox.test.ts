/** The commands `sandbox` and `completion`. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { commands, options } from "../src/cli/usage.ts";
import { completedLogin, createBindings } from "../src/index.ts";
import { useCli } from "./cli-support.ts";
import { LOGOUT } from "./support.ts";

const cli = useCli();

/** Instead of curl, which a machine may not have: `curl -sS url -H header -H header -d body`. */
const curl = `#!${process.execPath}
const [, url, , type, , key, , body] = process.argv.slice(2);
const headers = [type, key].map((header) => header.split(": "));
fetch(url, { method: "POST", headers, body }).then(async (answer) => process.stdout.write(await answer.text()));`;

/** Returns a function that reads lines until one matches, and returns the match. */
function reader(stream: Readable) {
  const lines = createInterface(stream)[Symbol.asyncIterator]();
  return async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const { value, done } = await lines.next();
      const [, found] = pattern.exec(value ?? "") ?? [];
      if (found !== undefined || done) return found ?? "";
    }
  };
}

function startSandbox(...args: string[]) {
  const { stdout, stderr, interrupt, code } = cli.start(["sandbox", ...args]);
  const stop = () => {
    interrupt("SIGINT");
    return code;
  };
  return { next: reader(stdout as never), nextLog: reader(stderr as never), stop };
}

describe("sandbox", () => {
  it("serves until it is interrupted, and logs its requests without their tokens", async () => {
    const { next, nextLog, stop } = startSandbox();
    const url = await next(/address +(\S+)/);
    const env = { BAANX_BASE_URL: url };
    expect(await cli.run(["probe"], { input: "token", env })).toMatchObject({ code: 0, out: "invalid\n" });
    await cli.run(["logout", "--region", "us"], { input: "token", env });
    expect(await nextLog(/(.+)/)).toBe("GET /v1/user 401");
    expect(await nextLog(/(.+)/)).toBe("POST /v1/auth/logout us 401");
    expect(await stop()).toBe(0);
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });

  it("ends by SIGINT, as a process", async () => {
    const { child, result } = await cli.spawn(["sandbox"]);
    await once(child.stdout, "readable");
    child.kill("SIGINT");
    expect(await result).toMatchObject({ code: 0, err: "" });
  });

  it.each([
    { by: "directly", script: '"$@" & read line', env: {} },
    // As npm does, the inner shell waits for the command and outlives the outer one.
    { by: "through npm", script: 'sh -c \'"$@"; :\' sh "$@" & read line', env: { npm_command: "exec" } },
  ])("ends with the shell that started it $by, as a process", async ({ script, env }) => {
    const shell = spawn("sh", ["-c", script, "sh", process.execPath, await cli.file(), "sandbox"], {
      env: { PATH: process.env["PATH"], ...env },
    });
    const url = await reader(shell.stdout)(/address +(\S+)/);
    expect((await fetch(url)).status).toBe(404);
    shell.kill("SIGKILL");
    // The output closes once the command has ended, too.
    await once(shell, "close");
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });

  it("prints the commands that log in and end the session, to be pasted as they are", async () => {
    const { child } = await cli.spawn(["sandbox"]);
    const [greeting] = await once(child.stdout, "data");
    const [login = "", end = ""] = String(greeting).match(/^(?:curl|BAANX_).+(?:\n {2}.+)?/gm) ?? [];

    const bin = dirname(cli.path("curl"));
    writeFileSync(join(bin, "curl"), curl, { mode: 0o755 });
    // The package is not installed.
    writeFileSync(join(bin, "npx"), `#!/bin/sh\nshift 3\nexec node "${await cli.file()}" "$@"\n`, {
      mode: 0o755,
    });
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
    const { next, nextLog, stop } = startSandbox();
    const url = await next(/address +(\S+)/);
    const clientKey = await next(/client key +(\S+)/);
    const password = await next(/password +(\S+)/);
    const email = await next(/A login of ([^,]+),/);
    const bindings = createBindings({ baseUrl: url, clientKey });
    const { data } = await bindings.POST("/v1/auth/login", { body: { email, password } });
    expect(completedLogin(data)).toBeUndefined();
    await bindings.POST("/v1/auth/login/otp", { body: { userId: data?.userId ?? "" } });
    const otpCode = await nextLog(/one-time password of .* is (\d{6})\./);
    const again = await bindings.POST("/v1/auth/login", { body: { email, password, otpCode } });
    expect(completedLogin(again.data)).toBeDefined();
    await stop();
  });

  it("prints a list of living tokens, which a run then ends in spite of faults", async () => {
    const faults = [`path=${LOGOUT},status=503,times=1`, `path=${LOGOUT},status=429,retry-after=0,times=1`];
    const args = ["--tokens", "3", ...faults.flatMap((fault) => ["--fault", fault])];
    const { next, nextLog, stop } = startSandbox(...args);
    const list = [await next(/(.+)/), await next(/(.+)/), await next(/(.+)/)];
    const url = await nextLog(/address +(\S+)/);
    const { code, out, err } = await cli.run(["logout", "--stdin", "--concurrency", "1"], {
      input: list.join("\n"),
      env: { BAANX_BASE_URL: url },
    });
    expect(out).toBe("1\tconfirmed\n2\tconfirmed\n3\tconfirmed\n");
    expect(err).toContain("The server asks to wait: all requests pause for 0.3 s.\n");
    expect(code).toBe(0);
    for (const status of [503, 429, 200]) expect(await nextLog(/(POST .*)/)).toBe(`POST ${LOGOUT} ${status}`);
    await stop();
  });

  it("logs a request without an answer, and nothing with --quiet", async () => {
    const { next, nextLog, stop } = startSandbox("--fault", "drop=true,times=1");
    const url = await next(/address +(\S+)/);
    await fetch(`${url}/v1/user`).catch(() => {});
    expect(await nextLog(/(.+)/)).toBe("GET /v1/user no answer");
    await stop();

    const quiet = cli.start(["sandbox", "--quiet", "--tokens", "1", "--host", "localhost"]);
    await once(quiet.stdout as never, "readable");
    quiet.interrupt("SIGTERM");
    expect(await quiet.result()).toMatchObject({ code: 0, err: "" });
  });

  it("exits with 1 when the port is in use, or the address is not of this machine", async () => {
    const { port } = new URL(cli.sandbox.url);
    expect(await cli.run(["sandbox", "--port", port])).toEqual({
      code: 1,
      out: "",
      err: `sandbox: Cannot listen on port ${port}: it is in use. Give another --port or --host.\n`,
    });
    const elsewhere = await cli.run(["sandbox", "--host", "192.0.2.1"]);
    expect(elsewhere).toMatchObject({ code: 1, err: expect.stringContaining("EADDRNOTAVAIL") });
  });
});

describe("completion", () => {
  /** A pipeline may have nothing but Node and a shell on its PATH. */
  const bash = existsSync("/bin/bash") ? "/bin/bash" : "bash";

  /** Returns the completions of bash for the last of these words. */
  async function completed(...words: string[]): Promise<string[]> {
    const { out } = await cli.run(["completion", "bash"]);
    const script = `${out}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _baanx_session; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const said = execFileSync(bash, ["-c", script, "bash", "baanx-session", ...words], {
      encoding: "utf8",
    });
    return said.trim().split("\n").filter(Boolean);
  }

  it("completes commands, the options of each, and values", async () => {
    expect(await completed("")).toEqual([...Object.keys(commands), "help", "--help", "--version"]);
    expect(await completed("lo")).toEqual(["logout"]);
    expect(await completed("probe", "--")).toEqual([...commands.probe, "help"].map((name) => `--${name}`));
    expect(await completed("sandbox", "--to")).toEqual(["--tokens"]);
    expect(await completed("logout", "--region", "")).toEqual(["international", "us"]);
    expect(await completed("completion", "z")).toEqual(["zsh"]);
    expect(await completed("logout", "--timeout", "--")).toEqual([]);
    expect(await completed("logout", "--journal", "package.j")).toEqual(["package.json"]);
  });

  it("prints the same for zsh, which supports the completions of bash", async () => {
    const { out } = await cli.run(["completion", "bash"]);
    expect((await cli.run(["completion", "zsh"])).out).toBe(
      `autoload -U +X bashcompinit && bashcompinit\n${out}`,
    );
  });

  it("knows each option", () => {
    const known = new Set<string>([...Object.values(commands).flat(), "help", "version"]);
    expect(Object.keys(options).filter((name) => !known.has(name))).toEqual([]);
  });
});
