/**
 * Checks that the pact file is strict. A matcher that accepts anything, a state without a handler or a missing header
 * would pass every verification.
 */
import { isDeepStrictEqual } from "node:util";
import { evidenceOf, fieldsOf, type Message, type PactFile, type PactInteraction } from "../pact-file.ts";
import { consumerName, isStateName, kindsOfEvidence, providerName, regions, states } from "../states.ts";
import { at } from "./specification.ts";

/** Returns the problems of the pact file, one line each. */
export function inspect(pact: PactFile, document: Record<string, unknown>): string[] {
  const names = pact.consumer.name === consumerName && pact.provider.name === providerName;
  const descriptions = pact.interactions.map(({ description }) => description);
  return [
    ...(names ? [] : ["the names of consumer and provider are others"]),
    ...(new Set(descriptions).size === descriptions.length ? [] : ["two interactions have one description"]),
    ...pact.interactions.flatMap((interaction) =>
      [
        ...evidence(interaction),
        ...state(interaction),
        ...request(interaction),
        ...response(interaction, document),
      ].map((line) => `${interaction.description}: ${line}`),
    ),
  ];
}

function evidence(interaction: PactInteraction): string[] {
  const said = evidenceOf(interaction);
  if (!kindsOfEvidence.some((known) => known === said)) return ["no reference says its evidence"];
  const { source } = interaction.comments.references.evidence;
  return [
    ...(typeof source === "string" && source !== "" ? [] : ["no reference says its source"]),
    ...(interaction.pending === (said !== "documented")
      ? []
      : ["what is not documented is pending, and that alone"]),
  ];
}

function state({ providerStates }: PactInteraction): string[] {
  const [first] = providerStates;
  if (providerStates.length !== 1 || !first || !isStateName(first.name))
    return ["its state is not one that is known"];
  const isDeclared = regions.some((region) => isDeepStrictEqual(first.params, { region }));
  return isDeclared ? [] : ["the parameters of its state are others"];
}

/** Checks that both credentials come from the state, and that the mock accepts only the examples. */
function request({ providerStates, request: sent }: PactInteraction): string[] {
  const name = providerStates[0]?.name ?? "";
  const values: Record<string, string> = isStateName(name) ? states[name].values : {};
  const lines: string[] = [];
  const credentials = [
    { header: "authorization", prefix: "Bearer ", keys: ["accessToken"] },
    { header: "x-client-key", prefix: "", keys: Object.keys(values).filter((key) => key !== "accessToken") },
  ];
  for (const { header, prefix, keys } of credentials) {
    const isRight = keys.some((key) => {
      const example = prefix + values[key];
      const expected: Message = {
        headers: { [header]: [example] },
        generators: { header: { [header]: { type: "ProviderState", expression: `${prefix}\${${key}}` } } },
        matchingRules: {
          header: { [header]: { combine: "AND", matchers: [{ match: "regex", regex: `^${example}$` }] } },
        },
      };
      return isDeepStrictEqual(only(sent, header), expected);
    });
    if (!isRight) lines.push(`${header} is not the example of its state, from the state, and no other`);
  }
  const known = credentials.map(({ header }) => header);
  const parts = [sent.generators?.["header"], sent.matchingRules?.["header"]];
  const { authorization, "x-client-key": _, ...others } = sent.headers ?? {};
  if (parts.some((part) => !isDeepStrictEqual(Object.keys(part ?? {}).sort(), known)))
    lines.push("other headers than the credentials match loosely, or come from the state");
  // State and request must use the same back end.
  const isUs = isDeepStrictEqual(providerStates[0]?.params, { region: "us" });
  if (!isDeepStrictEqual(others, isUs ? { "x-us-env": ["true"] } : {}))
    lines.push("it states other headers than the credentials and the region of its state");
  const loose = Object.keys({ ...sent.generators, ...sent.matchingRules }).filter(
    (part) => part !== "header",
  );
  if (loose.length > 0 || "body" in sent || "query" in sent) lines.push("it states more than headers");
  return lines;
}

function only({ headers, generators, matchingRules }: Message, header: string): Message {
  const pick = <T>(from: Record<string, T> | undefined) => {
    const value = from?.[header];
    return value === undefined ? {} : { [header]: value };
  };
  return {
    headers: pick(headers),
    generators: { header: pick(generators?.["header"]) },
    matchingRules: { header: pick(matchingRules?.["header"]) },
  };
}

/** Checks that a success asserts the specification's required body, with exact values where the consumer branches. */
function response(interaction: PactInteraction, document: Record<string, unknown>): string[] {
  const { headers, body, matchingRules = {}, generators, status } = interaction.response;
  const { path, method } = interaction.request;
  const lines: string[] = [];
  if (generators) lines.push("the answer is generated");
  if (status >= 300)
    return body || headers || Object.keys(matchingRules).length > 0
      ? [...lines, "it asserts more than the status, of which the consumer reads nothing"]
      : lines;
  const anyType = { "Content-Type": { combine: "AND", matchers: [{ match: "regex", regex: ".*" }] } };
  if (
    !isDeepStrictEqual(headers, { "Content-Type": ["application/json"] }) ||
    !isDeepStrictEqual(matchingRules["header"], anyType)
  )
    lines.push("its content type is not any: no code of the consumer reads it");
  if (Object.keys(matchingRules).some((part) => part !== "body" && part !== "header"))
    lines.push("a status matches others");

  const schema = at(
    document,
    ...[
      "paths",
      path,
      method.toLowerCase(),
      "responses",
      String(status),
      "content",
      "application/json",
      "schema",
    ],
  );
  const content = fieldsOf(body?.content);
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  if (!isDeepStrictEqual(Object.keys(content).sort(), [...required].sort()))
    lines.push("it asserts other fields than the required ones");
  const loose = Object.keys(content).filter((key) => typeof content[key] === "string");
  const expected = Object.fromEntries(
    loose.map((key) => [`$.${key}`, { combine: "AND", matchers: [{ match: "type" }] }]),
  );
  if (!isDeepStrictEqual(matchingRules["body"] ?? {}, expected))
    lines.push("texts match by their type, and everything else exactly");
  return lines;
}
