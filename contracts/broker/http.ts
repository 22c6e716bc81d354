/**
 * The Pact Broker's HTTP API, as far as Pact's command line does not tell enough: whether a broker is there and
 * knows us, which pacts are to be verified, whether a result was taken. It says in one line what went wrong.
 */
import { fieldsOf, listOf } from "../pact-file.ts";
import { consumerName, providerName } from "../states.ts";
import { redact } from "../target.ts";
import type { Settings } from "./settings.ts";

/** Long enough for a busy broker, short enough that nobody waits for one that is gone. */
const patience = 10_000;

/** Versions of the provider that are the sandbox, which proves nothing about Baanx. */
export const referencePrefix = "reference-";

/** The broker is not there, does not know us or has refused; the message is for a person. */
export class BrokerError extends Error {}

export interface PactToVerify {
  /** Its content, as it was published, and the broker's links. */
  pact: unknown;
  /** Why it is verified, in the broker's words. */
  because: string;
  /** No main build of the provider has verified it yet, so that it informs and does not fail the run. */
  pending: boolean;
  resultsUrl: string;
}

/** What became of one interaction, in the words of Pact's own verifier. */
export interface TestResult {
  interactionId?: string | undefined;
  interactionDescription: string;
  success: boolean;
  mismatches?: { attribute: string; identifier: string; description: string }[];
}

export interface Result {
  success: boolean;
  version: string;
  buildUrl: string | undefined;
  testResults: TestResult[];
}

export type Broker = ReturnType<typeof createBroker>;

/** How a broker is asked, whatever about. */
export function connect(settings: Settings) {
  const { baseUrl, authorization } = settings;

  /** Links come from the broker itself; credentials go to its own origin only. */
  async function ask(
    method: string,
    url: string,
    body?: unknown,
  ): Promise<{ status: number; body: unknown }> {
    if (new URL(url).origin !== new URL(baseUrl).origin)
      throw new BrokerError(`The broker at ${baseUrl} links to another origin, ${new URL(url).origin}.`);
    const sent = await fetch(url, {
      method,
      headers: {
        accept: "application/hal+json, application/json",
        ...(authorization ? { authorization } : {}),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: "manual",
      signal: AbortSignal.timeout(patience),
    }).catch((error: unknown) => {
      throw new BrokerError(`No Pact Broker answers at ${baseUrl}: ${reasonOf(error)}.`);
    });
    const text = await sent.text().catch(() => "");
    const { status } = sent;
    if (status === 401 || status === 403) throw new BrokerError(refusal(settings, status));
    return { status, body: parsed(text) };
  }

  async function expectDone(
    what: string,
    asked: Promise<{ status: number; body: unknown }>,
  ): Promise<unknown> {
    const { status, body } = await asked;
    if (status >= 200 && status < 300) return body;
    const { errors, error } = fieldsOf(body);
    const said = errors ?? error;
    const reason = said === undefined ? "" : `: ${redact(JSON.stringify(said), settings).slice(0, 300)}`;
    throw new BrokerError(`The broker answered ${status} to ${what}${reason}.`);
  }

  return { ask, expectDone };
}

export function createBroker(settings: Settings) {
  const { baseUrl } = settings;
  const { ask, expectDone } = connect(settings);

  async function pactAt(url: string): Promise<Pick<PactToVerify, "pact" | "resultsUrl">> {
    const pact = await expectDone("a pact", ask("GET", url));
    return { pact, resultsUrl: linkOf(pact, "pb:publish-verification-results") };
  }

  return {
    /** @throws BrokerError when it cannot be reached or does not accept the credentials */
    async check(): Promise<void> {
      const { status, body } = await ask("GET", `${baseUrl}/`);
      const links = Object.keys(fieldsOf(fieldsOf(body)["_links"]));
      if (status !== 200 || !links.some((name) => name.startsWith("pb:")))
        throw new BrokerError(`What answers at ${baseUrl} is no Pact Broker (${status}).`);
    },

    /** The pacts of this consumer that a build of this branch of the provider has to verify. */
    async pactsToVerify(branch: string | undefined): Promise<PactToVerify[]> {
      const url = `${baseUrl}/pacts/provider/${providerName}/for-verification`;
      const answer = await ask("POST", url, selection(branch));
      // A provider that nobody has a contract with yet.
      if (answer.status === 404) return [];
      const found = fieldsOf(await expectDone("what is to be verified", Promise.resolve(answer)));
      const pacts = listOf(fieldsOf(found["_embedded"])["pacts"]);
      return Promise.all(
        pacts.map(async (entry) => {
          const { shortDescription, verificationProperties } = fieldsOf(entry);
          const { pending, wip } = fieldsOf(verificationProperties);
          return {
            ...(await pactAt(linkOf(entry, "self"))),
            because: `${String(shortDescription)}${wip === true ? ", work in progress" : ""}`,
            pending: pending === true,
          };
        }),
      );
    },

    /** The one pact that a webhook names. It is what was asked about, so that it fails the run. */
    pactAt: async (url: string): Promise<PactToVerify> => ({
      ...(await pactAt(url)),
      because: "the contract of this address",
      pending: false,
    }),

    /** To say it again is allowed. */
    async recordProviderBranch(version: string, branch: string): Promise<void> {
      const [v, b] = [version, branch].map(encodeURIComponent);
      const url = `${baseUrl}/pacticipants/${providerName}/versions/${v}`;
      await expectDone("the provider's version", ask("PUT", url, {}));
      await expectDone(
        "the provider's branch",
        ask("PUT", `${baseUrl}/pacticipants/${providerName}/branches/${b}/versions/${v}`, {}),
      );
    },

    /** @throws BrokerError unless the broker says that it has taken it */
    async publishResult(url: string, { success, version, buildUrl, testResults }: Result): Promise<void> {
      const body = {
        success,
        providerApplicationVersion: version,
        ...(buildUrl ? { buildUrl } : {}),
        testResults,
        verifiedBy: { implementation: "baanx-session contracts:verify", version: "1" },
      };
      const taken = fieldsOf(await expectDone("the result of the verification", ask("POST", url, body)));
      if (taken["success"] !== success || taken["providerApplicationVersion"] !== version)
        throw new BrokerError("The broker took the result of the verification for another one.");
    },

    /** Whether a verification was published by anybody but the sandbox. */
    async isVerifiedByProvider(): Promise<boolean> {
      const url = new URL(`${baseUrl}/matrix`);
      for (const name of [consumerName, providerName]) url.searchParams.append("q[][pacticipant]", name);
      for (const success of ["true", "false"]) url.searchParams.append("success[]", success);
      url.searchParams.set("limit", "1000");
      const answer = await ask("GET", url.href);
      // 400: one of the two is unknown to the broker.
      if (answer.status === 400) return false;
      const rows = listOf(fieldsOf(await expectDone("the matrix", Promise.resolve(answer)))["matrix"]);
      const versions = rows.map((row) => fieldsOf(fieldsOf(fieldsOf(row)["provider"])["version"])["number"]);
      return versions.some((version) => typeof version === "string" && !version.startsWith(referencePrefix));
    },
  };
}

/** Before the first contract: work in progress is every branch that the provider has not verified yet. */
const wipSince = "2020-01-01";

/**
 * What the request for the pacts says; shown by `--dry-run`, too. Without the branch of the provider nothing can be
 * pending, work in progress or of the same branch, since all three are told by it.
 */
export function selection(branch: string | undefined) {
  const of = { consumer: consumerName };
  const always = [
    { ...of, mainBranch: true },
    { ...of, deployedOrReleased: true },
  ];
  if (branch === undefined) return { consumerVersionSelectors: always };
  return {
    consumerVersionSelectors: [...always, { ...of, matchingBranch: true }],
    includePendingStatus: true,
    includeWipPactsSince: wipSince,
    providerVersionBranch: branch,
  };
}

export function refusal({ baseUrl, authorization }: Settings, status: number): string {
  if (status === 403) return `The broker at ${baseUrl} does not let these credentials do this (403).`;
  if (authorization)
    return `The broker at ${baseUrl} does not accept the credentials (401), or not for writing.`;
  return `The broker at ${baseUrl} wants credentials (401): set PACT_BROKER_TOKEN, or PACT_BROKER_USERNAME and PACT_BROKER_PASSWORD.`;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `nothing for ${patience / 1_000} s`;
  const { cause } = error;
  const code =
    fieldsOf(cause)["code"] ?? (cause instanceof Error && "code" in cause ? cause.code : undefined);
  return typeof code === "string" ? code : error.message;
}

export function linkOf(resource: unknown, name: string): string {
  const href = fieldsOf(fieldsOf(fieldsOf(resource)["_links"])[name])["href"];
  if (typeof href !== "string" || !URL.canParse(href))
    throw new BrokerError(`The broker gave no link "${name}".`);
  return href;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
