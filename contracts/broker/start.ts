/**
 * Runs a real Pact Broker, the Ruby gem, as a child process on loopback with SQLite: starts it, waits until it
 * answers, stops it. What is published there is up to others.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Environment } from "../target.ts";

const home = fileURLToPath(new URL(".", import.meta.url));
/** The releases of this package are recorded there, so a new broker gets it. */
const environmentName = "production";

export interface RunningBroker {
  url: string;
  /** Where what it says goes. */
  log: string;
  /** Resolves with its exit code when it has ended, for whatever reason. */
  ended: Promise<number | null>;
  stop(): Promise<void>;
  /** As a crash would. */
  kill(): Promise<void>;
}

export interface BrokerOptions {
  /** Of its database and its log. */
  folder: string;
  /** Default 0: any free one. */
  port?: number;
  /** PACT_BROKER_BASIC_AUTH_USERNAME and the like. */
  environment?: Environment;
}

/** Why no broker can be started here, and what to do about it; nothing when one can. */
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

/** @throws Error when it does not answer within a minute, or ends before */
export async function startBroker({
  folder,
  port = 0,
  environment = {},
}: BrokerOptions): Promise<RunningBroker> {
  await mkdir(folder, { recursive: true });
  const log = join(folder, "broker.log");
  const child = spawn(
    "bundle",
    // One thread: it is SQLite.
    ["exec", "puma", "--threads", "1:1", "--bind", `tcp://127.0.0.1:${port}`, "config.ru"],
    {
      cwd: home,
      // A Ctrl-C at the terminal would reach it past whoever is to stop it.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...rubyEnvironment(),
        ...basicAuth(environment),
        // The webhooks of a broker on this machine call this machine, and no other.
        PACT_BROKER_WEBHOOK_SCHEME_WHITELIST: "http",
        PACT_BROKER_WEBHOOK_HOST_WHITELIST: "127.0.0.1 localhost",
        // Four slashes: with three it is relative, whatever the path.
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
    const url = await addressOf(child, log);
    await createEnvironment(url, environment);
    return { url, ...broker };
  } catch (error) {
    await broker.kill();
    throw error;
  }
}

/** It listens when it has loaded everything and migrated its database. */
async function addressOf(child: ChildProcess, log: string): Promise<string> {
  const { stdout } = child;
  if (!stdout) throw new Error("The broker has no output.");
  const limit = AbortSignal.timeout(60_000);
  const gone = once(child, "exit", { signal: limit }).then(() => {
    throw new Error(`The broker did not start; ${log} says why.`);
  });
  const listening = (async () => {
    const lines = createInterface({ input: stdout });
    for await (const line of lines) {
      const url = /Listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (url !== undefined) return url;
    }
    return gone;
  })();
  const late = (error: unknown) => {
    throw limit.aborted ? new Error(`The broker did not answer within a minute; ${log} may say why.`) : error;
  };
  const url = await Promise.race([listening, gone]).catch(late);
  const heartbeat = await fetch(`${url}/diagnostic/status/heartbeat`, { signal: limit }).catch(late);
  if (!heartbeat.ok) throw new Error(`The heartbeat of the broker answered ${heartbeat.status}; see ${log}.`);
  gone.catch(() => {});
  stdout.resume();
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
  // 400: it is there from the last time.
  if (status !== 201 && status !== 400)
    throw new Error(`The broker answered ${status} to the environment "${environmentName}".`);
}

/** Of the caller's environment only what Ruby needs: the gem reads every PACT_BROKER_ variable as a setting. */
function rubyEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PACT_|BAANX_|PROVIDER_)/.test(name));
  return { ...Object.fromEntries(kept), BUNDLE_GEMFILE: join(home, "Gemfile") };
}

function basicAuth(environment: Environment): Record<string, string> {
  const names = ["USERNAME", "PASSWORD", "READ_ONLY_USERNAME", "READ_ONLY_PASSWORD"];
  const given = names.flatMap((name) => {
    const value = environment[`PACT_BROKER_BASIC_AUTH_${name}`];
    return value ? [[`PACT_BROKER_BASIC_AUTH_${name}`, value] as const] : [];
  });
  if (given.length === 0) return {};
  return { ...Object.fromEntries(given), PACT_BROKER_BASIC_AUTH_ENABLED: "true" };
}
