/**
 * The command `sandbox`: the sandbox on a port until it is interrupted, with a log of its requests. It is loaded only
 * here, so that no other command loads it.
 */
import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import type { Fault, RunningSandbox, User } from "../sandbox/index.ts";
import { codeOf, type Io, isAlive, print, say } from "./output.ts";
import { countOf, type Flags, UsageError } from "./usage.ts";

const MOST_TOKENS = 1_000_000;

/** @returns the exit code, once the sandbox is stopped. @throws UsageError */
export async function runSandbox(flags: Flags, io: Io): Promise<number> {
  const { port: portText = "0", host = "127.0.0.1", fault: faults = [], tokens } = flags;
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 65_536;
  if (port > 65_535) throw new UsageError("--port takes a number from 0 to 65535.");
  const count = tokens === undefined ? 0 : countOf("tokens", tokens, MOST_TOKENS);
  const parsed = faults.map(faultOf);
  const { createSandbox, startSandbox } = await import("../sandbox/index.ts");
  try {
    for (const fault of parsed) createSandbox().misbehave(fault);
  } catch (error) {
    throw new UsageError(`--fault: ${error instanceof Error ? error.message : "not a fault"}`);
  }
  const signal = io.signals();
  const otpCode = String(randomInt(100_000, 1_000_000));
  let sandbox: RunningSandbox;
  try {
    sandbox = await startSandbox({
      port,
      host,
      onCode: ({ userId, email, otpCode }) =>
        say(io, `The one-time password of ${email} (${userId}) is ${otpCode}.`),
      onRequest: ({ method, path, region, status }) =>
        say(io, `${method} ${path} ${region === "us" ? "us " : ""}${status ?? "no answer"}`),
    });
  } catch (error) {
    const reason = codeOf(error) === "EADDRINUSE" ? "it is in use" : codeOf(error);
    say(io, `sandbox: Cannot listen on port ${port}: ${reason}. Give another --port or --host.`, "red");
    return 1;
  }
  for (const fault of parsed) sandbox.misbehave(fault);
  const withCode = sandbox.addUser({ email: "grace@example.com", otpCode });
  for (let line = 1; line <= count; line++)
    if (await print(io, JSON.stringify({ accessToken: sandbox.login().accessToken, id: line }))) break;
  // It leads nowhere in a list.
  if (!io.isQuiet) (count > 0 ? io.stderr : io.stdout).write(greeting(sandbox, withCode));
  await stopped(io, signal);
  await sandbox.close();
  return 0;
}

/** Resolves at the first signal, or once the shell that started the command has ended. */
function stopped(io: Io, signal: AbortSignal): Promise<void> {
  const parent = process.ppid;
  // npm stays alive for its command, also when the shell above it has ended.
  const shell = io.env["npm_command"] === undefined ? undefined : parentOf(parent);
  return new Promise((resolve) => {
    const stop = () => {
      clearInterval(timer);
      resolve();
    };
    const timer = setInterval(() => {
      if (process.ppid !== parent || (shell && !isAlive(shell))) stop();
    }, 1_000);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
  });
}

/** Returns the parent of a process; undefined if the system does not say. */
function parentOf(pid: number): number | undefined {
  try {
    // Slim images lack `ps`, and macOS lacks /proc.
    const [, status] = existsSync("/proc/self/stat")
      ? readFileSync(`/proc/${pid}/stat`, "utf8").split(/\) \w /)
      : ["", execFileSync("ps", ["-o", "ppid=", "-p", `${pid}`], { encoding: "utf8" })];
    return Number.parseInt(status ?? "", 10);
  } catch {
    return undefined;
  }
}

/** The keys of a fault, with the form of their values. */
const faultKeys: Record<string, RegExp> = {
  ...{ method: /^[a-z]+$/i, path: /^\//, body: /^/, status: /^\d{3}$/, delay: /^(\d{1,9}|forever)$/ },
  ...{ times: /^\d{1,9}$/, truncate: /^\d{1,9}$/, trickle: /^\d{1,9}$/, "retry-after": /^\d{1,9}$/ },
  ...{ drop: /^true$/, handled: /^(true|false)$/ },
};

/** Parses `status=503,times=2`. @throws UsageError */
function faultOf(text: string): Fault {
  const pairs = text.split(",").map((pair) => {
    const [key = "", value = ""] = pair.split(/=(.*)/s);
    const form = Object.hasOwn(faultKeys, key) ? faultKeys[key] : undefined;
    const keys = Object.keys(faultKeys).join(", ");
    if (!form) throw new UsageError(`--fault takes key=value, separated by commas, with the keys ${keys}.`);
    if (!form.test(value)) throw new UsageError(`--fault: the value of ${key} is not valid.`);
    if (key === "retry-after") return ["headers", { [key]: value }];
    if (key === "body") return [key, value];
    return [
      key,
      /^\d+$/.test(value) ? Number(value) : /^(true|false)$/.test(value) ? value === "true" : value,
    ];
  });
  return Object.fromEntries(pairs);
}

function greeting({ clientKey, user, url }: RunningSandbox, withCode: User): string {
  const body = JSON.stringify({ email: user.email, password: user.password });
  return `This is a sandbox of the Baanx API, not Baanx. Its users and tokens are made up and kept in memory.

  address     ${url}
  client key  ${clientKey}
  e-mail      ${user.email}
  password    ${user.password}

A login of ${withCode.email}, with the same password, is complete only with a one-time password: ask for it at
/v1/auth/login/otp, and it is shown here.

In another terminal, log in and keep the access token in a file:

curl -sS ${url}/v1/auth/login -H 'x-client-key: ${clientKey}' -H 'content-type: application/json' -d '${body}' |
  node -p 'JSON.parse(fs.readFileSync(0)).accessToken' > token.txt

End its session:

BAANX_BASE_URL=${url} BAANX_CLIENT_KEY=${clientKey} npx --no -- baanx-session logout --verify < token.txt

Stop with Ctrl-C.
`;
}
