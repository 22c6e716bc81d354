/**
 * Reads the recorded contract, and validates the fields that the runs and checks use. `checks/` judges its quality.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Fields, fieldsOf } from "../src/cli/pact-replay.ts";

export { type Fields, fieldsOf, listOf } from "../src/cli/pact-replay.ts";

/** One side of an interaction: the parts that Pact V4 writes. */
interface Message extends Fields {
  headers?: Record<string, string[]>;
  matchingRules?: Record<string, Record<string, { combine?: string; matchers: Fields[] }>>;
  generators?: Record<string, Record<string, Fields>>;
  body?: { content: unknown };
}

export interface PactInteraction extends Fields {
  description: string;
  pending: boolean;
  comments: { references: { evidence: Fields } };
  providerStates: { name: string; params?: Fields }[];
  request: Message & { method: string; path: string };
  response: Message & { status: number };
}

export interface PactFile extends Fields {
  consumer: { name: string };
  provider: { name: string };
  interactions: PactInteraction[];
}

/** The output of `npm run contracts`. */
export const recordedPact = fileURLToPath(
  new URL("pacts/baanx-session-baanx-auth-api.json", import.meta.url),
);

/** @throws Error if the file cannot be read, or is not a pact of this version */
export async function readPact(file = recordedPact): Promise<PactFile> {
  const pact: unknown = JSON.parse(await readFile(file, "utf8"));
  if (!isPact(pact))
    throw new Error(
      `${file} must be a Pact V4 file whose interactions are over HTTP and name their evidence.`,
    );
  return pact;
}

function isPact(value: unknown): value is PactFile {
  const { consumer, provider, interactions } = fieldsOf(value);
  const isNamed = [consumer, provider].every((side) => typeof fieldsOf(side)["name"] === "string");
  return (
    isNamed && Array.isArray(interactions) && interactions.length > 0 && interactions.every(isInteraction)
  );
}

function isInteraction(value: unknown): boolean {
  const { type, description, pending, comments, providerStates, request, response } = fieldsOf(value);
  const { method, path } = fieldsOf(request);
  const { references } = fieldsOf(comments);
  return (
    type === "Synchronous/HTTP" &&
    typeof pending === "boolean" &&
    [description, method, path].every((text) => typeof text === "string") &&
    typeof fieldsOf(fieldsOf(references)["evidence"])["kind"] === "string" &&
    Array.isArray(providerStates) &&
    providerStates.every((state) => typeof fieldsOf(state)["name"] === "string") &&
    typeof fieldsOf(response)["status"] === "number"
  );
}

/** Returns the evidence of an interaction, from its own reference. */
export function evidenceOf({ comments }: PactInteraction): string {
  return String(comments.references.evidence["kind"]);
}
