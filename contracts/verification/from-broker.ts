/**
 * Verifies what a Pact Broker says is to be verified, and publishes the results. How a pact is verified is
 * `verify.ts`; whose results they are is `publication.ts`.
 *
 * Pact's own verifier could publish, too, and is not let to: it would before anybody knows whether each state was
 * brought about, with what the provider said in full, credentials that it repeats included.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Broker, BrokerError, type PactToVerify, type TestResult } from "../broker/http.ts";
import { type PactFile, readPact } from "../pact-file.ts";
import { providerName } from "../states.ts";
import { type Environment, openTarget } from "../target.ts";
import { createDriver } from "./driver.ts";
import { type Publication, shownPublication } from "./publication.ts";
import type { Replayer } from "./replay.ts";
import { verificationReport } from "./report.ts";
import { failuresOf, type Verdict, type Verification, verify } from "./verify.ts";

export interface FromBroker {
  broker: Broker;
  environment: Environment;
  allowProduction: boolean;
  replayer: Replayer;
  /** The branch of the provider's build, if it is known. */
  branch: string | undefined;
  /** Undefined when the results are for this machine only. */
  publication: Publication | undefined;
  /** The address of the one pact to verify. Default: what the broker says is to be verified. */
  pactUrl?: string | undefined;
  write(text: string): void;
}

/** Resolves to why the run is not a success; nothing when it is one. */
export async function verifyFromBroker(run: FromBroker): Promise<string[]> {
  const { broker, branch, publication, pactUrl, write } = run;
  await broker.check();
  const found = pactUrl ? [await broker.pactAt(pactUrl)] : await broker.pactsToVerify(branch);
  if (found.length === 0) return ["Nothing was verified: the broker has no contract to verify."];
  if (publication) {
    write(`Results are published as ${shownPublication(publication)}.\n\n`);
    await broker.recordProviderBranch(publication.version, publication.branch);
  }
  const failures: string[] = [];
  const open = createOpener(run);
  const known = new Map();
  for (const one of found) {
    write(`${one.because}${one.pending ? " (pending: informs, and does not fail the run)" : ""}\n`);
    const { verdicts, faults } = await verifyOne(one, open, { ...run, known });
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
      return [
        `The result was not published: ${missing} of ${verdicts.length} interactions were not replayed; the report says what they lack.`,
      ];
    const { version, buildUrl } = publication;
    try {
      const testResults = verdicts.map(testResultOf);
      await broker.publishResult(resultsUrl, { success: !isFailed, version, buildUrl, testResults });
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

/** Only what was redacted: the broker shows it to whoever may read it. */
function testResultOf({ id, description, outcome, mismatches }: Verdict): TestResult {
  const of = { interactionId: id, interactionDescription: description };
  return outcome === "passed" ? { ...of, success: true } : { ...of, success: false, mismatches };
}

/**
 * The authorizations of a provider are used up by the first contracts, and are known to be; the sandbox
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
  run: FromBroker & Pick<Verification, "known">,
) {
  const pact = await pactFrom(content);
  const { target, close, handlers, endSessions } = await open();
  try {
    const { replayer, known } = run;
    const verdicts = await verify({ pact, target, handlers, replayer, ...(known && { known }) });
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
