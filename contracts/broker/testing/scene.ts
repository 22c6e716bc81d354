/** What the tests of the broker share: a broker in a folder of its own, Pact's command line, other contracts. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { recordedPact } from "../../pact-file.ts";
import { collect, type Ran } from "../../process.ts";
import { type RunningBroker, startBroker, whyNoBroker } from "../start.ts";

/** Pact's own command line, as another team would call it: `npx pact …`. */
export function runPact(args: readonly string[], environment: Record<string, string>): Promise<Ran> {
  const cli = createRequire(import.meta.url).resolve("@pact-foundation/pact-cli/bin/pact.js");
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, [cli, ...args], {
    env: { PATH, HOME, PACT_DO_NOT_TRACK: "true", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return collect(child);
}

/** What the broker answers at a path of it. */
export async function readBroker({ broker }: Scene, path: string) {
  const response = await fetch(`${broker.url}${path}`, { headers: { accept: "application/hal+json" } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

/** The tree of whoever runs the tests may be dirty, and its commit is not what they are about. */
export const as = (version: string, branch = "main") => [
  "--allow-dirty",
  ...["--version", version, "--branch", branch],
];

/** Why there are no tests, said once for a whole file. */
export function missingHere(file: string): string | undefined {
  const missing = whyNoBroker();
  if (missing) process.stderr.write(`${file}: skipped, since ${missing}\n`);
  return missing;
}

/** Made up for the test. */
export const users = {
  PACT_BROKER_BASIC_AUTH_USERNAME: "writer",
  PACT_BROKER_BASIC_AUTH_PASSWORD: "writers-password",
  PACT_BROKER_BASIC_AUTH_READ_ONLY_USERNAME: "reader",
  PACT_BROKER_BASIC_AUTH_READ_ONLY_PASSWORD: "readers-password",
};

const credentials = {
  writer: { PACT_BROKER_USERNAME: "writer", PACT_BROKER_PASSWORD: "writers-password" },
  reader: { PACT_BROKER_USERNAME: "reader", PACT_BROKER_PASSWORD: "readers-password" },
  stranger: { PACT_BROKER_USERNAME: "stranger", PACT_BROKER_PASSWORD: "strangers-password" },
};

/** The environment of a command that works with this broker. */
export const withBroker = ({ url }: { url: string }, user?: keyof typeof credentials) => ({
  PACT_BROKER_BASE_URL: url,
  ...(user ? credentials[user] : {}),
});

export interface Scene {
  folder: string;
  broker: RunningBroker;
  /** Ends the broker, and starts one on the same database. */
  restart(): Promise<void>;
  end(): Promise<void>;
}

export async function openScene(environment: Record<string, string> = {}): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "baanx-session-broker-"));
  const scene: Scene = {
    folder,
    broker: await startBroker({ folder, environment }),
    async restart() {
      await scene.broker.stop();
      scene.broker = await startBroker({ folder, environment });
    },
    async end() {
      await scene.broker.stop();
      await rm(folder, { recursive: true });
    },
  };
  return scene;
}

/** A folder with the recorded contract, one interaction of which has another name. */
export async function changedContract(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "baanx-session-changed-"));
  const text = await readFile(recordedPact, "utf8");
  await writeFile(join(folder, "changed.json"), text.replace('"a logout"', JSON.stringify(name)));
  return folder;
}
