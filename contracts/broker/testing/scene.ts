/** Fixtures of the broker tests: a broker in its own folder, Pact's command line, and changed contracts. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { outputOf, startPact } from "../../../src/cli/pact-replay.ts";
import { runScript, startIndependentProvider } from "../../fixtures/run.ts";
import { recordedPact } from "../../pact-file.ts";
import { startBroker, whyNoBroker } from "../start.ts";

/** Pact's own command line, as another team would call it: `npx pact …`. */
export const runPact = (args: readonly string[], environment: Record<string, string>) =>
  outputOf(startPact(args, environment));

/** Returns the broker's answer at a path. */
export async function readBroker({ broker }: Scene, path: string) {
  const headers = {
    accept: "application/hal+json",
    authorization: `Basic ${btoa("reader:readers-password")}`,
  };
  const response = await fetch(`${broker.url}${path}`, { headers });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

/** Version flags, because the working tree may be dirty and the tests do not depend on its commit. */
export const as = (version: string, branch = "main") => [
  "--allow-dirty",
  ...["--version", version, "--branch", branch],
];

/** Returns why a whole file is skipped, and prints it once. */
export function missingHere(file: string): string | undefined {
  const missing = whyNoBroker();
  if (missing) process.stderr.write(`${file}: skipped, since ${missing}\n`);
  return missing;
}

/** Test credentials. */
const users = {
  PACT_BROKER_BASIC_AUTH_USERNAME: "writer",
  PACT_BROKER_BASIC_AUTH_PASSWORD: "writers-password",
  PACT_BROKER_BASIC_AUTH_READ_ONLY_USERNAME: "reader",
  PACT_BROKER_BASIC_AUTH_READ_ONLY_PASSWORD: "readers-password",
};

/** The environment of a command that uses this broker. */
export const withBroker = ({ url }: { url: string }, user: "writer" | "reader" | "stranger" = "writer") => ({
  PACT_BROKER_BASE_URL: url,
  PACT_BROKER_USERNAME: user,
  PACT_BROKER_PASSWORD: `${user}s-password`,
});

export type Scene = Awaited<ReturnType<typeof openScene>>;

export async function openScene() {
  const folder = await mkdtemp(join(tmpdir(), "baanx-session-broker-"));
  const broker = await startBroker({ folder, environment: users });
  /** Runs a script of this repository as the user with write access. */
  const run = (script: string, args: readonly string[], environment?: Record<string, string>) =>
    runScript(script, args, { ...withBroker(broker), ...environment });
  return {
    broker,
    run,
    /** Runs a build of the provider with its own instance, because a run uses up authorizations. */
    async build(args: readonly string[], version: string, branch: string, ...faults: string[]) {
      const { url, environment, stop } = await startIndependentProvider(...faults);
      const of = { PROVIDER_BASE_URL: url, PROVIDER_VERSION: version, PROVIDER_BRANCH: branch };
      return run("contracts-verify", args, { ...environment, ...of }).finally(stop);
    },
    /** Publishes a contract in which one interaction has this name. */
    async publishChanged(name: string, version: string, branch: string) {
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
