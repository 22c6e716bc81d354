/**
 * Verifies contracts against a provider with Pact's own verifier, from a file or from a Pact Broker, to which it then
 * publishes the results. The driver reaches provider states. This module decides when a run fails.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Interaction, type Replayed, replay, replayReport, Skip } from "../../src/cli/pact-replay.ts";
import { Unreachable } from "../api.ts";
import type { Build } from "../broker/build.ts";
import { resultsHeldOf } from "../broker/pact-cli.ts";
import type { Settings } from "../broker/settings.ts";
import { evidenceOf, type PactFile } from "../pact-file.ts";
import { consumerName, isStateName, providerName, regions, type StateHandlers, states } from "../states.ts";
import { describeTarget, type Target } from "../target.ts";

/** Handlers from other sources may be incomplete, as they may be in other languages. */
export type Handlers = Partial<StateHandlers>;

export interface Verification {
  target: Target;
  handlers: Handlers;
}

/** Verifies the interactions of a contract, optionally of one kind of evidence only. */
export async function verifyFile(pact: PactFile, run: Verification, only?: string): Promise<Interaction[]> {
  const folder = await mkdtemp(join(tmpdir(), "baanx-session-pact-"));
  try {
    const file = join(folder, "pact.json");
    const rank = (name = "") => Object.keys(states).indexOf(name);
    const interactions = pact.interactions
      .filter((interaction) => only === undefined || evidenceOf(interaction) === only)
      // Interactions that end authorizations come last: a revocation may end other authorizations.
      .sort((a, b) => rank(a.providerStates[0]?.name) - rank(b.providerStates[0]?.name));
    await writeFile(file, JSON.stringify({ ...pact, interactions }));
    const replayed = await start(["--file", file], run);
    if (replayed.problem !== undefined) throw new Error(replayed.problem);
    return replayed.interactions;
  } finally {
    await rm(folder, { recursive: true });
  }
}

export interface FromBroker extends Verification {
  settings: Settings;
  /** The branch of the provider's build, if known. */
  branch: string | undefined;
  /** Undefined if the results stay on this machine. */
  publication: Build | undefined;
  /** The address of the one contract to verify. Default: the contracts that the broker selects. */
  pactUrl: string | undefined;
  write(text: string): void;
}

/** Resolves to the reasons why the run fails; empty on success. */
export async function verifyFromBroker(run: FromBroker): Promise<string[]> {
  const { settings, publication, target, write } = run;
  const before = publication && (await resultsHeldOf(settings, publication.version));
  const replayed = await start(brokerArguments(run), run, settings.variables, publication !== undefined);
  const { interactions, notes, problem } = replayed;
  write(notes.map((note) => `${note}\n`).join(""));
  if (problem !== undefined)
    return [publication ? `Nothing was published of this contract: ${problem}.` : problem];
  write(replayReport(interactions, describeTarget(target)));
  const failures = verificationFailures(interactions, target);
  if (!publication || !before) return failures;
  // The verifier passes even if the publication fails, so compare with the results that the broker holds.
  const held = await resultsHeldOf(settings, publication.version);
  const added = [...held].filter((result) => !before.has(result)).length;
  const wanted = notes.filter((note) => note.startsWith("Verifying a pact ")).length;
  if (added < wanted)
    return [...failures, `The result was not published: the broker holds ${added} of ${wanted} results.`];
  write(`Published: ${wanted} results of version ${publication.version} of ${providerName}.\n`);
  return failures;
}

/** Builds the verifier's arguments: the selected contracts, and the version of the published results. */
export function brokerArguments({
  branch,
  publication,
  pactUrl,
}: Pick<FromBroker, "branch" | "publication" | "pactUrl">): string[] {
  const kinds = ["mainBranch", "deployedOrReleased", ...(branch === undefined ? [] : ["matchingBranch"])];
  const selectors = kinds.flatMap((kind) => [
    "--consumer-version-selectors",
    JSON.stringify({ consumer: consumerName, [kind]: true }),
  ]);
  // Pending and work in progress depend on the provider's branch.
  const pending = branch === undefined ? [] : ["--enable-pending", "--include-wip-pacts-since", "2020-01-01"];
  const { version = "", buildUrl } = publication ?? {};
  // `--url` would also verify the contracts that the broker selects.
  return [
    ...(pactUrl
      ? ["--webhook-callback-url", pactUrl]
      : [...selectors, ...pending, "--filter-consumer", consumerName]),
    ...["--provider-name", providerName, "--retries", "1"],
    ...(branch === undefined ? [] : ["--provider-branch", branch]),
    ...(publication ? ["--publish", "--provider-version", version] : []),
    ...(buildUrl ? ["--build-url", buildUrl] : []),
  ];
}

async function start(
  contracts: string[],
  { target, handlers }: Verification,
  variables: Record<string, string> = {},
  isPublished = false,
): Promise<Replayed> {
  const { baseUrl: providerUrl, secrets } = target;
  return replay({
    ...{ contracts, providerUrl, secrets, variables, isPublished },
    bringAbout: (name, params) => bringAbout(name, params, handlers),
  });
}

async function bringAbout(name: string, params: Record<string, unknown>, handlers: Handlers) {
  if (!isStateName(name))
    throw new Error(`Unknown provider state "${name}"; the states are: ${Object.keys(states).join("; ")}.`);
  const { region, ...others } = params;
  const known = regions.find((one) => one === region);
  if (!known || Object.keys(others).length > 0)
    throw new Error(`The state "${name}" takes one parameter: region, international or us.`);
  const handler = handlers[name];
  if (!handler) throw new Error(`The state "${name}" lacks a handler.`);
  try {
    const values: Record<string, unknown> = { ...(await handler({ region: known })) };
    for (const key of Object.keys(states[name].values))
      if (typeof values[key] !== "string") throw new Error(`The handler of "${name}" returned no ${key}.`);
    return values;
  } catch (error) {
    throw error instanceof Unreachable ? new Skip(error.message) : error;
  }
}

/** Returns the reasons why a run fails; empty on success. */
export function verificationFailures(interactions: readonly Interaction[], { isSandbox }: Target): string[] {
  const failures = interactions.flatMap(({ description, outcome }) => {
    if (outcome === "unready") return [`The state of "${description}" was not brought about.`];
    if (outcome === "failed") return [`"${description}" failed.`];
    return outcome === "skipped" && isSandbox ? [`"${description}" was skipped.`] : [];
  });
  const isEmpty = interactions.every(({ outcome }) => outcome === "skipped");
  return isEmpty && failures.length === 0 ? ["Nothing was verified."] : failures;
}
