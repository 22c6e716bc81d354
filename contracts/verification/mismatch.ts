/** What Pact's verifier says did not match, as a person reads it and as a broker takes it: where, what was expected, what was there. */
import { fieldsOf } from "../pact-file.ts";
import type { Mismatch } from "./replay.ts";

/** The results are JSON of the native verifier, read here and nowhere else. */
export function mismatchesIn(results: unknown): Mismatch[] {
  const parsed: unknown = typeof results === "string" ? JSON.parse(results) : results;
  const { interactionResults } = fieldsOf(parsed);
  if (!Array.isArray(interactionResults) || interactionResults.length !== 1)
    throw new Error("it did not replay one interaction");
  const { result, mismatch } = fieldsOf(interactionResults[0]);
  if (result === "OK") return [];
  const { mismatches, message } = fieldsOf(mismatch);
  return Array.isArray(mismatches) ? mismatches.map(mismatchOf) : [other(message)];
}

function mismatchOf(one: unknown): Mismatch {
  const { type, path, key, mismatch } = fieldsOf(one);
  if (typeof mismatch !== "string") return other(mismatch);
  const description = inOrder(mismatch);
  if (type === "StatusMismatch") return { attribute: "status", identifier: "status", description };
  if (type === "HeaderMismatch") return { attribute: "header", identifier: String(key), description };
  if (typeof path === "string") return { attribute: "body", identifier: path, description };
  return { ...other(description), attribute: "body" };
}

const other = (message: unknown): Mismatch => ({
  attribute: "other",
  identifier: "",
  description: typeof message === "string" ? message : "the verifier gave no reason",
});

/** The verifier puts what was there first, in single quotes. */
function inOrder(text: string): string {
  const status = /^expected (\d+) but was (\d+)$/.exec(text);
  if (status) return `expected ${status[1]}, was ${status[2]}`;
  const value = /^Expected (.+) \((\w+)\) to (be equal to|be the same type as) (.+) \((\w+)\)$/s.exec(text);
  if (!value) return text;
  const [, was = "", wasType, how, expected = "", expectedType] = value;
  const wanted = how === "be equal to" ? `${quoted(expected)} (${expectedType})` : `a ${expectedType}`;
  return `expected ${wanted}, was ${quoted(was)} (${wasType})`;
}

const quoted = (value: string) => value.replace(/^'(.*)'$/s, '"$1"');

/** In one line. */
export function mismatchLine({ identifier, description }: Mismatch): string {
  return identifier === "" ? description : `${identifier}: ${description}`;
}
