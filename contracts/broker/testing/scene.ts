/** What the tests of the broker share: a broker in a folder of its own, Pact's command line, other contracts. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { outputOf, startPact } from "../../../src/cli/pact-replay.ts";
import { runScript, startIndependentProvider } from "../../fixtures/run.ts";
import { recordedPact } from "../../pact-file.ts";
import type { Ran } from "../../process.ts";
import { type RunningBroker, startBroker, whyNoBroker } from "../start.ts";

/** Pact's own command line, as another team would call it: `npx pact …`. */
export const runPact = (args: readonly string[], environment: Record<string, string>) =>
  outputOf(startPact(args, environment));

/** What the broker answers at a path of it. */
export async function readBroker({ broker }: Scene, path: string) {
  const headers = {
    accept: "application/hal+json",
    authorization: `Basic ${btoa("reader:readers-password")}`,
  };
  const response = await fetch(`${broker.url}${path}`, { headers });
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
const users = {
  PACT_BROKER_BASIC_AUTH_USERNAME: "writer",
  PACT_BROKER_BASIC_AUTH_PASSWORD: "writers-password",
  PACT_BROKER_BASIC_AUTH_READ_ONLY_USERNAME: "reader",
  PACT_BROKER_BASIC_AUTH_READ_ONLY_PASSWORD: "readers-password",
};

/** The environment of a command that works with this broker. */
export const withBroker = ({ url }: { url: string }, user: "writer" | "reader" | "stranger" = "writer") => ({
  PACT_BROKER_BASE_URL: url,
  PACT_BROKER_USERNAME: user,
  PACT_BROKER_PASSWORD: `${user}s-password`,
});

export interface Scene {
  broker: RunningBroker;
  /** Runs a script of this repository as the user who may write. */
  run(
    script: Parameters<typeof runScript>[0],
    args: readonly string[],
    environment?: Record<string, string>,
  ): Promise<Ran>;
  /** A build of the provider, with an instance of its own, since a run uses up its authorizations. */
  build(args: readonly string[], version: string, branch: string, ...faults: string[]): Promise<Ran>;
  /** Publishes a contract one interaction of which has this name. */
  publishChanged(name: string, version: string, branch: string): Promise<Ran>;
  end(): Promise<void>;
}

export async function openScene(): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "baanx-session-broker-"));
  const broker = await startBroker({ folder, environment: users });
  const run: Scene["run"] = (script, args, environment) =>
    runScript(script, args, { ...withBroker(broker), ...environment });
  return {
    broker,
    run,
    async build(args, version, branch, ...faults) {
      const { url, environment, stop } = await startIndependentProvider(...faults);
      const of = { PROVIDER_BASE_URL: url, PROVIDER_VERSION: version, PROVIDER_BRANCH: branch };
      return run("contracts-verify", args, { ...environment, ...of }).finally(stop);
    },
    async publishChanged(name, version, branch) {
      const changed = await mkdtemp(join(folder, "changed-"));
      const text = await readFile(recordedPact, "utf8");
      await writeFile(join(changed, "changed.json"), text.replace('"a logout"', JSON.stringify(name)));
      return run("contracts-publish", [...as(version, branch), "--pacts", changed]);
    },
    async end() {
      await broker.stop();
      await rm(folder, { recursive: true });
    },
  };
}
