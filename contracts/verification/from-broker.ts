/**
 * Verifies what a Pact Broker says is to be verified, and publishes the results. How a pact is verified is
 * `verify.ts`; here it is decided whose results they are, and whether they may be published where.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildFrom } from "../broker/build.ts";
import { type Broker, BrokerError, type PactToVerify, referencePrefix, selection } from "../broker/http.ts";
import type { Settings } from "../broker/settings.ts";
import { type PactFile, readPact } from "../pact-file.ts";
import { providerName } from "../states.ts";
import { type Environment, openTarget, UsageError } from "../target.ts";
import { createDriver } from "./driver.ts";
import type { Replayer } from "./replay.ts";
import { verificationReport } from "./report.ts";
import { failuresOf, type Verdict, verify } from "./verify.ts";

export interface Publication {
  version: string;
  branch: string;
  buildUrl: string | undefined;
}

export interface FromBroker {
  broker: Broker;
  environment: Environment;
  allowProduction: boolean;
  replayer: Replayer;
  branch: string;
  /** Undefined when the results are for this machine only. */
  publication: Publication | undefined;
  write(text: string): void;
}

/** The branch of the provider's build: the pacts are chosen by it, and the results belong to it. */
export const providerBranch = ({ PROVIDER_BRANCH }: Environment) => PROVIDER_BRANCH || "main";

/**
 * Whose results would be published. Those of the reference provider go to a broker on loopback only, under a
 * version that says so: anywhere else they would be false evidence.
 *
 * @throws UsageError when they may not be published there
 */
export function publicationFrom(
  environment: Environment,
  { isLoopback }: Pick<Settings, "isLoopback">,
): Publication {
  const { PROVIDER_BASE_URL: address, PROVIDER_VERSION: given } = environment;
  const branch = providerBranch(environment);
  if (address && !given)
    throw new UsageError("PROVIDER_VERSION says whose results are published; or give --no-publish.");
  if (!address && !isLoopback)
    throw new UsageError(
      "Results of the reference provider are published to a broker on loopback only: set PROVIDER_BASE_URL and PROVIDER_VERSION, or give --no-publish.",
    );
  if (address && given?.startsWith(referencePrefix))
    throw new UsageError(
      `A PROVIDER_VERSION that begins with "${referencePrefix}" is the reference provider's.`,
    );
  const { version, buildUrl } = buildFrom(environment, { version: given || undefined, branch });
  return { version: address ? version : `${referencePrefix}${version}`, branch, buildUrl };
}

/** What would be asked for and published, without asking for it. */
export function plan({ baseUrl }: Settings, branch: string, publication: Publication | undefined): string {
  const asked = `Would ask ${baseUrl} for the pacts of ${providerName}:\n${JSON.stringify(selection(branch), null, 2)}\n`;
  const { version, buildUrl } = publication ?? {};
  const built = buildUrl ? `, built by ${buildUrl}` : "";
  return publication
    ? `${asked}Would publish the results as version ${version} of ${providerName}, branch ${branch}${built}\n`
    : `${asked}Would publish no results.\n`;
}

/** Resolves to why the run is not a success; nothing when it is one. */
export async function verifyFromBroker(run: FromBroker): Promise<string[]> {
  const { broker, branch, publication, write } = run;
  await broker.check();
  const found = await broker.pactsToVerify(branch);
  if (found.length === 0) return ["Nothing was verified: the broker has no contract to verify."];
  if (publication) await broker.recordProviderBranch(publication.version, branch);
  const failures: string[] = [];
  const open = createOpener(run);
  for (const one of found) {
    write(`${one.because}${one.pending ? " (pending: informs, and does not fail the run)" : ""}\n`);
    const { verdicts, faults } = await verifyOne(one, open, run);
    if (!one.pending) failures.push(...faults);
    failures.push(...(await publish(one, verdicts, faults)));
  }
  return failures;

  async function publish(
    { resultsUrl }: PactToVerify,
    verdicts: Verdict[],
    faults: string[],
  ): Promise<string[]> {
    if (!publication) {
      write("Not published.\n\n");
      return [];
    }
    const isFailed = verdicts.some(({ outcome, pending }) => outcome === "failed" && !pending);
    const missing = verdicts.filter(({ outcome }) => outcome === "skipped" || outcome === "unready").length;
    // A part that was not replayed is no evidence, neither for nor against.
    if (!isFailed && (missing > 0 || faults.length > 0))
      return [`The result was not published: ${missing} interactions were not replayed.`];
    const { version, buildUrl } = publication;
    try {
      await broker.publishResult(resultsUrl, { success: !isFailed, version, buildUrl });
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      return [`The result was not published: ${error.message}`];
    }
    write(
      `Published: version ${version} of ${providerName} ${isFailed ? "breaks" : "keeps"} this contract.\n\n`,
    );
    return [];
  }
}

/**
 * The authorizations of a provider are used up by the first contracts, and are known to be; the reference provider
 * is a new one for each.
 */
function createOpener({ environment, allowProduction }: FromBroker) {
  const address = environment["PROVIDER_BASE_URL"];
  const open = async () => {
    const { target, close } = await openTarget(environment, address, allowProduction);
    return { target, close, ...createDriver(target) };
  };
  let first: ReturnType<typeof open> | undefined;
  if (!address) return open;
  return () => {
    first ??= open();
    return first;
  };
}

async function verifyOne(
  { pact: content }: PactToVerify,
  open: ReturnType<typeof createOpener>,
  run: FromBroker,
) {
  const pact = await pactFrom(content);
  const { target, close, handlers, endSessions } = await open();
  try {
    const verdicts = await verify({ pact, target, handlers, replayer: run.replayer });
    await endSessions();
    run.write(verificationReport(verdicts, target));
    return { verdicts, faults: failuresOf(verdicts, target) };
  } finally {
    await close();
  }
}

/** As from a file, since it is checked there. */
async function pactFrom(content: unknown): Promise<PactFile> {
  const folder = await mkdtemp(join(tmpdir(), "baanx-session-pact-"));
  try {
    const file = join(folder, "pact.json");
    await writeFile(file, JSON.stringify(content));
    const { _links, createdAt, ...pact } = await readPact(file);
    return pact;
  } finally {
    await rm(folder, { recursive: true });
  }
}
