/**
 * Whether the pact file is as strict as it is meant to be: a matcher that takes anything, a state without a
 * handler or a header that is left out would pass every verification.
 */
import { isDeepStrictEqual } from "node:util";
import { fieldsOf, type Message, type PactFile, type PactInteraction, standingOf } from "../pact-file.ts";
import { consumerName, isStateName, providerName, standings, states } from "../states.ts";
import { at } from "./specification.ts";

/** What is wrong with the pact file, one line each. */
export function inspect(pact: PactFile, document: Record<string, unknown>): string[] {
  const names = pact.consumer.name === consumerName && pact.provider.name === providerName;
  const descriptions = pact.interactions.map(({ description }) => description);
  return [
    ...(names ? [] : ["the names of consumer and provider are others"]),
    ...(new Set(descriptions).size === descriptions.length ? [] : ["two interactions have one description"]),
    ...pact.interactions.flatMap((interaction) =>
      [
        ...standing(interaction),
        ...state(interaction),
        ...request(interaction),
        ...response(interaction, document),
      ].map((line) => `${interaction.description}: ${line}`),
    ),
  ];
}

function standing(interaction: PactInteraction): string[] {
  const said = standingOf(interaction);
  if (!standings.some((known) => known === said)) return ["no comment says its standing"];
  return interaction.pending === (said !== "documented")
    ? []
    : ["what is not documented is pending, and that alone"];
}

function state({ providerStates }: PactInteraction): string[] {
  const [first] = providerStates;
  if (providerStates.length !== 1 || !first || !isStateName(first.name))
    return ["its state is not one that is known"];
  const isDeclared = isDeepStrictEqual(first.params, { ...states[first.name].parameters });
  return isDeclared ? [] : ["the parameters of its state are others"];
}

/** Both credentials come from the state, and of the examples the mock takes no others. */
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
  const parts = [sent.headers, sent.generators?.["header"], sent.matchingRules?.["header"]];
  if (parts.some((part) => !isDeepStrictEqual(Object.keys(part ?? {}).sort(), known)))
    lines.push("it states other headers than the credentials");
  const others = Object.keys({ ...sent.generators, ...sent.matchingRules }).filter(
    (part) => part !== "header",
  );
  if (others.length > 0 || "body" in sent || "query" in sent) lines.push("it states more than headers");
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

/** A success asserts what the specification requires of its body, values that the consumer branches on exactly. */
function response(interaction: PactInteraction, document: Record<string, unknown>): string[] {
  const { headers, body, matchingRules = {}, generators, status } = interaction.response;
  const { path, method } = interaction.request;
  const lines: string[] = [];
  if (!isDeepStrictEqual(headers, { "Content-Type": ["application/json"] }))
    lines.push("the answer is not said to be application/json");
  if (generators) lines.push("the answer is generated");
  if (Object.keys(matchingRules).some((part) => part !== "body"))
    lines.push("a status or header matches others");
  if (status >= 300) return body ? [...lines, "it asserts a body that the consumer does not read"] : lines;

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
