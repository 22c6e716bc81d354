/** The recorded contract is strict, has the evidence of the specification, and is described by the README. */
import { readFile } from "node:fs/promises";
import { MatchersV3 } from "@pact-foundation/pact";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { type Interaction, interactions } from "../consumer/interactions.ts";
import { evidenceOf, type Fields, fieldsOf, listOf, readPact } from "../pact-file.ts";
import { consumerName, type Evidence, kindsOfEvidence, providerName, regions, states } from "../states.ts";

const textOf = (path: string) => readFile(new URL(path, import.meta.url), "utf8");

const pact = await readPact();
const all = Object.values<Interaction>(interactions);
const document = fieldsOf(parse(await textOf("../../openapi/baanx-auth.openapi.yaml")));
const readme = await textOf("../README.md");

it("records each interaction with matchers that accept no more than the consumer does", () => {
  expect(pact).toMatchObject({ consumer: { name: consumerName }, provider: { name: providerName } });
  expect(byName(pact.interactions)).toEqual(byName(all.map(recordingOf)));
});

it.each(all)("names the evidence of the specification, and its required fields: $description", (one) => {
  const { method, path, status, region, evidence, body } = one;
  const operation = partAt("paths", path, method.toLowerCase());
  const response = partAt(operation, "responses", String(status));
  const regionHeader = listOf(operation["parameters"])
    .map(resolved)
    .find(({ name }) => name === "x-us-env");
  const parts = region === "us" ? [response, regionHeader ?? {}] : [response];
  // An interaction is as certain as its least certain part.
  const ranks = parts.map((part) => kindsOfEvidence.indexOf(part["x-evidence"] as Evidence));
  expect(ranks).not.toContain(-1);
  expect(evidence).toBe(kindsOfEvidence[Math.max(...ranks)]);
  const { required } = partAt(response, "content", "application/json", "schema");
  if (body) expect(Object.keys(body)).toEqual(required);
});

it("keeps the tables of the README equal to the contract", () => {
  const recorded = pact.interactions.map((interaction) => {
    const { description, request, response, providerStates } = interaction;
    const [state] = providerStates;
    const call = `${request.method} ${request.path}`;
    return [description, call, state?.name, String(response.status), evidenceOf(interaction)];
  });
  expect(rowsOf("Interaction", 5).sort()).toEqual(recorded.sort());
  const code = (names: string[]) => names.map((name) => `\`${name}\``).join(", ");
  const stated = Object.entries(states).map(([name, { values }]) => [
    name,
    code(["region"]),
    code(Object.keys(values)),
  ]);
  expect(rowsOf("State", 3).sort()).toEqual(stated.sort());
});

it("ships the provider states of the contract as JSON", async () => {
  expect(JSON.parse(await textOf("../provider-states.json"))).toEqual(
    Object.entries(states).map(([name, { values }]) => ({
      ...{ name, params: { region: [...regions] }, returns: Object.keys(values) },
    })),
  );
});

const byName = <T extends { description: string }>(some: readonly T[]) =>
  [...some].sort((a, b) => a.description.localeCompare(b.description));

/** Returns the JSON that Pact must record. A looser matcher or a missing credential would pass every verification. */
function recordingOf(interaction: Interaction) {
  const { description, state, evidence, source, region = "international" } = interaction;
  const { method, path, clientKey = "clientKey", status, body } = interaction;
  const values: Record<string, string> = states[state].values;
  const matching = (matcher: object) => ({ combine: "AND", matchers: [matcher] });
  const credentials = (of: (example: string, expression: string) => unknown) => ({
    authorization: of(`Bearer ${values["accessToken"]}`, `Bearer \${accessToken}`),
    "x-client-key": of(values[clientKey] ?? "", `\${${clientKey}}`),
  });
  // Strings match by their type, and everything else exactly.
  const loose = Object.entries(body ?? {}).filter(([, value]) => typeof value === "object");
  const bodyRules = Object.fromEntries(loose.map(([key]) => [`$.${key}`, matching({ match: "type" })]));
  return {
    type: "Synchronous/HTTP",
    description,
    pending: evidence !== "documented",
    comments: { references: { evidence: { kind: evidence, source } } },
    providerStates: [{ name: state, params: { region } }],
    request: {
      method,
      path,
      headers: { ...credentials((example) => [example]), ...(region === "us" && { "x-us-env": ["true"] }) },
      // The mock accepts the example only, and a provider gets the value of its state.
      matchingRules: {
        header: credentials((example) => matching({ match: "regex", regex: `^${example}$` })),
      },
      generators: { header: credentials((_, expression) => ({ type: "ProviderState", expression })) },
    },
    response: {
      status,
      // The consumer reads the status of a refusal only, and the content type of no answer.
      ...(body && {
        headers: { "Content-Type": ["application/json"] },
        body: { content: MatchersV3.reify(body as never), contentType: "application/json", encoded: false },
        matchingRules: {
          header: { "Content-Type": matching({ match: "regex", regex: ".*" }) },
          ...(loose.length > 0 && { body: bodyRules }),
        },
      }),
    },
  };
}

/** Walks down from a part of the specification, or from its root, and follows references. */
function partAt(...way: (string | Fields)[]): Fields {
  return way.reduce<Fields>(
    (from, step) => (typeof step === "string" ? resolved(from[step]) : step),
    document,
  );
}

function resolved(value: unknown): Fields {
  const { $ref } = fieldsOf(value);
  return typeof $ref === "string" ? partAt(...$ref.replace(/^#\//, "").split("/")) : fieldsOf(value);
}

/** Returns the first cells of each row of the README's table whose first column has this heading. */
function rowsOf(heading: string, columns: number): string[][] {
  const lines = readme.split("\n");
  const begin = lines.findIndex((line) => line.startsWith(`| ${heading} |`)) + 2;
  const end = lines.findIndex((line, index) => index >= begin && !line.startsWith("|"));
  const cellsOf = (line: string) => line.split("|").map((cell) => cell.trim());
  return lines.slice(begin, end).map((line) => cellsOf(line).slice(1, columns + 1));
}
