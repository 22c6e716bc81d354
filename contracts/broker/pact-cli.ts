/**
 * Runs `pact broker …`, Pact's command line for a broker, with credentials in its environment, a timeout, and one-line
 * failures. All requests to a broker go through it, so one set of variables configures certificate authority and proxy.
 */
import { fieldsOf, listOf, outputOf, pactReason, startPact } from "../../src/cli/pact-replay.ts";
import { consumerName, providerName } from "../states.ts";
import { redact } from "../target.ts";
import type { Settings } from "./settings.ts";

const limit = 30_000;

/**
 * Returns the exit code, and both outputs without secrets.
 *
 * @throws Error if the broker did not answer in time or refused the credentials
 */
export async function pactBroker(settings: Settings, args: readonly string[]) {
  const { baseUrl, variables } = settings;
  // The default is to retry for over a minute.
  const child = startPact(["broker", ...args, "--retries", "1"], variables);
  const timer = setTimeout(() => child.kill("SIGKILL"), limit);
  const { code, text: output } = await outputOf(child).finally(() => clearTimeout(timer));
  if (code === undefined) throw new Error(`No Pact Broker answers at ${baseUrl} within ${limit / 1_000} s.`);
  const text = redact(output, settings).trim();
  if (code === 0) return { code, text };
  if (/error sending request/.test(text))
    throw new Error(
      `No Pact Broker answers at ${baseUrl}: is it running, and does this machine know its certificate authority (SSL_CERT_FILE) and proxy?`,
    );
  const [refused] = /\b40[13] \w+/.exec(text) ?? [];
  if (refused) throw new Error(credentialsProblem(settings, refused));
  return { code, text };
}

function credentialsProblem({ baseUrl, hasCredentials }: Settings, status: string): string {
  if (hasCredentials)
    return `The broker at ${baseUrl} does not accept the credentials, or not for this (${status}).`;
  return `The broker at ${baseUrl} wants credentials (${status}): set PACT_BROKER_TOKEN, or PACT_BROKER_USERNAME and PACT_BROKER_PASSWORD.`;
}

/** The broker's matrix: which versions work together. */
export async function matrixOf(settings: Settings, question: readonly string[]) {
  const { code, text } = await pactBroker(settings, ["can-i-deploy", ...question, "--output", "json"]);
  // The text names an unknown consumer, provider or environment.
  if (code !== 0) return { isDeployable: false, failed: 0, reason: pactReason(text), rows: [] };
  const { matrix, summary } = fieldsOf(JSON.parse(text.slice(text.indexOf("{"))));
  const { deployable, failed, reason } = fieldsOf(summary);
  return {
    isDeployable: deployable === true,
    failed: Number(failed),
    reason: /^(?!WARN).*/m.exec(String(reason))?.[0] ?? "",
    rows: listOf(matrix).map((row) => {
      const { provider, verificationResult } = fieldsOf(row);
      const { href = "" } = fieldsOf(fieldsOf(fieldsOf(verificationResult)["_links"])["self"]);
      const { number = "" } = fieldsOf(fieldsOf(provider)["version"]);
      return { provider: String(number), result: String(href) };
    }),
  };
}

/** Returns the contract and number of each result that the broker holds for a version of the provider. */
export async function resultsHeldOf(settings: Settings, version: string): Promise<Set<string>> {
  const { rows } = await matrixOf(settings, [
    ...["--pacticipant", consumerName],
    ...["--pacticipant", providerName, "--version", version],
  ]);
  const parts = rows.map(({ result }) =>
    /\/pact-version\/(\w+)\/.*\/(\d+)$/.exec(result)?.slice(1).join(" "),
  );
  return new Set(parts.filter((part) => part !== undefined));
}
