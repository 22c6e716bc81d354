/**
 * Runs `pact broker …`, Pact's command line for a broker, with credentials in its environment, a timeout, and one-line
 * failures. All requests to a broker go through it, so one set of variables configures certificate authority and proxy.
 */
import { fieldsOf, listOf, outputOf, pactReason, startPact } from "../../src/cli/pact-replay.ts";
import { consumerName, providerName } from "../states.ts";
import { redact } from "../target.ts";
import type { Settings } from "./settings.ts";

const limit = 30_000;

export interface Answer {
  code: number | undefined;
  /** Standard output and standard error, without secrets. */
  text: string;
}

/** @throws Error if the broker did not answer in time or refused the credentials */
export async function pactBroker(settings: Settings, args: readonly string[]): Promise<Answer> {
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
  if (refused) throw new Error(refusal(settings, refused));
  return { code, text };
}

function refusal({ baseUrl, hasCredentials }: Settings, status: string): string {
  if (hasCredentials)
    return `The broker at ${baseUrl} does not accept the credentials, or not for this (${status}).`;
  return `The broker at ${baseUrl} wants credentials (${status}): set PACT_BROKER_TOKEN, or PACT_BROKER_USERNAME and PACT_BROKER_PASSWORD.`;
}

export interface Matrix {
  isDeployable: boolean;
  failed: number;
  unknown: number;
  reason: string;
  rows: { consumer: string; provider: string; success: unknown; result: string }[];
}

/** The broker's matrix: which versions work together. */
export async function matrixOf(settings: Settings, question: readonly string[]): Promise<Matrix> {
  const { code, text } = await pactBroker(settings, ["can-i-deploy", ...question, "--output", "json"]);
  // The text names an unknown consumer, provider or environment.
  if (code !== 0) return { isDeployable: false, failed: 0, unknown: 0, reason: pactReason(text), rows: [] };
  const { matrix, summary } = fieldsOf(JSON.parse(text.slice(text.indexOf("{"))));
  const { deployable, failed, unknown, reason } = fieldsOf(summary);
  const numberOf = (side: unknown) => String(fieldsOf(fieldsOf(side)["version"])["number"] ?? "");
  return {
    isDeployable: deployable === true,
    failed: Number(failed),
    unknown: Number(unknown),
    reason:
      String(reason)
        .split("\n")
        .find((line) => !line.startsWith("WARN")) ?? "",
    rows: listOf(matrix).map((row) => {
      const { consumer, provider, verificationResult } = fieldsOf(row);
      const { success, _links } = fieldsOf(verificationResult);
      const { href = "" } = fieldsOf(fieldsOf(_links)["self"]);
      return { consumer: numberOf(consumer), provider: numberOf(provider), success, result: String(href) };
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
