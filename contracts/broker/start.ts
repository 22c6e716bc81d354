/**
 * Runs a real Pact Broker, the Ruby gem, as a child process on loopback with SQLite. Starts it, waits until it answers,
 * and stops it. Callers publish to it.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Environment } from "../target.ts";

const home = fileURLToPath(new URL(".", import.meta.url));
/** The environment in which releases of this package are recorded. A new broker gets it. */
const environmentName = "production";

export interface RunningBroker {
  url: string;
  /** The file for its output. */
  log: string;
  /** Resolves with the exit code after the process has ended. */
  ended: Promise<number | null>;
  stop(): Promise<void>;
  /** Kills the process, like a crash. */
  kill(): Promise<void>;
}

export interface BrokerOptions {
  /** The folder of its database and log. */
  folder: string;
  /** Default 0: any free port. */
  port?: number;
  /** PACT_BROKER_BASIC_AUTH_USERNAME and the like. */
  environment?: Environment;
}

/** Returns why a broker cannot start here, and the fix. Undefined if one can. */
export function whyNoBroker(): string | undefined {
  const ruby = spawnSync("ruby", ["--version"], { stdio: "ignore" });
  if (ruby.status !== 0)
    return "Ruby is missing: install Ruby 3.1 or later with Bundler (Debian: apt-get install bundler ruby-dev build-essential libyaml-dev)";
  const bundle = spawnSync("bundle", ["check"], { cwd: home, env: rubyEnvironment(), stdio: "ignore" });
  if (bundle.error) return "Bundler is missing: install it (Debian: apt-get install bundler)";
  if (bundle.status !== 0)
    return "the gems are missing: run `bundle install --gemfile contracts/broker/Gemfile` (on Debian after apt-get install ruby-dev build-essential libyaml-dev)";
  return undefined;
}

/** @throws Error if it does not answer within a minute, or exits before that */
export async function startBroker({
  folder,
  port = 0,
  environment = {},
}: BrokerOptions): Promise<RunningBroker> {
  await mkdir(folder, { recursive: true });
  const log = join(folder, "broker.log");
  const child = spawn(
    "bundle",
    // SQLite allows one thread.
    ["exec", "puma", "--threads", "1:1", "--bind", `tcp://127.0.0.1:${port}`, "config.ru"],
    {
      cwd: home,
      // Otherwise a Ctrl-C at the terminal would reach the broker before its caller could stop it.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...rubyEnvironment(),
        ...basicAuth(environment),
        // Webhooks of a local broker call this machine only.
        PACT_BROKER_WEBHOOK_SCHEME_WHITELIST: "http",
        PACT_BROKER_WEBHOOK_HOST_WHITELIST: "127.0.0.1 localhost",
        // Four slashes: with three the path is relative.
        PACT_BROKER_DATABASE_URL: `sqlite:///${resolve(folder)}/pact_broker.sqlite3`,
      },
    },
  );
  const ended = once(child, "exit").then(([code]) => code);
  const file = createWriteStream(log, { flags: "a" });
  child.stderr.pipe(file, { end: false });
  child.stdout.pipe(file, { end: false });
  void once(child, "close").then(() => file.end());

  const broker = { log, ended, stop: () => end("SIGTERM"), kill: () => end("SIGKILL") };
  async function end(signal: NodeJS.Signals) {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  }

  try {
    const url = await addressOf(child.stdout, log);
    await createEnvironment(url, environment);
    return { url, ...broker };
  } catch (error) {
    await broker.kill();
    throw error;
  }
}

/** The broker listens after it has loaded everything and migrated its database. */
async function addressOf(stdout: Readable, log: string): Promise<string> {
  const signal = AbortSignal.timeout(60_000);
  let url: string | undefined;
  // Ends with the process, or with the deadline.
  for await (const line of createInterface({ input: stdout, signal })) {
    url = /Listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (url !== undefined) break;
  }
  stdout.resume();
  if (signal.aborted) throw new Error(`The broker did not answer within a minute; ${log} may say why.`);
  if (url === undefined) throw new Error(`The broker did not start; ${log} says why.`);
  const { ok, status } = await fetch(`${url}/diagnostic/status/heartbeat`, { signal });
  if (!ok) throw new Error(`The heartbeat of the broker answered ${status}; see ${log}.`);
  return url;
}

async function createEnvironment(url: string, environment: Environment): Promise<void> {
  const { PACT_BROKER_BASIC_AUTH_USERNAME: user, PACT_BROKER_BASIC_AUTH_PASSWORD: password } = environment;
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const { status } = await fetch(`${url}/environments`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(user ? { authorization } : {}) },
    body: JSON.stringify({ name: environmentName, displayName: "Production", production: true }),
  });
  // 400: it exists from an earlier start.
  if (status !== 201 && status !== 400)
    throw new Error(`The broker answered ${status} to the environment "${environmentName}".`);
}

/** Passes only the variables that Ruby needs: the gem reads every PACT_BROKER_ variable as a setting. */
function rubyEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PACT_|BAANX_|PROVIDER_)/.test(name));
  return { ...Object.fromEntries(kept), BUNDLE_GEMFILE: join(home, "Gemfile") };
}

function basicAuth(environment: Environment): Record<string, string> {
  const given = Object.entries(environment).filter(
    ([name, value]) => value && /^PACT_BROKER_BASIC_AUTH_(READ_ONLY_)?(USERNAME|PASSWORD)$/.test(name),
  );
  if (given.length === 0) return {};
  return { ...Object.fromEntries(given), PACT_BROKER_BASIC_AUTH_ENABLED: "true" };
}
