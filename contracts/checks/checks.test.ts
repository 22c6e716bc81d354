/** The recorded contract is strict, a subset of the specification, and described by the README. */
import { readFile } from "node:fs/promises";
import { beforeAll, expect, it } from "vitest";
import { type PactFile, type PactInteraction, readPact } from "../pact-file.ts";
import { regions, states } from "../states.ts";
import { compareReadme, readReadme } from "./readme.ts";
import { readSpecification, type Specification } from "./specification.ts";
import { inspect } from "./structure.ts";

let pact: PactFile;
let specification: Specification;

beforeAll(async () => {
  [pact, specification] = await Promise.all([readPact(), readSpecification()]);
});

it("keeps the recorded contract a subset of the specification", async () => {
  expect(await specification.compare(pact)).toEqual([]);
});

it("keeps the recorded contract strict", () => {
  expect(inspect(pact, specification.document)).toEqual([]);
});

it("keeps the tables of the README equal to the contract", async () => {
  expect(compareReadme(pact, await readReadme())).toEqual([]);
});

it("ships the provider states of the contract as JSON", async () => {
  const file = new URL("../provider-states.json", import.meta.url);
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual(
    Object.entries(states).map(([name, { values }]) => ({
      ...{ name, params: { region: [...regions] }, returns: Object.keys(values) },
    })),
  );
});

it.each<[change: string, of: (interaction: PactInteraction) => unknown]>([
  ["states no access token", ({ request }) => delete request.headers?.["authorization"]],
  ["states no client key", ({ request }) => delete request.headers?.["x-client-key"]],
  [
    "states a header that is not specified",
    ({ request }) => Object.assign(request.headers ?? {}, { "x-tenant": ["x"] }),
  ],
  ["has other evidence", ({ comments }) => Object.assign(comments.references.evidence, { kind: "observed" })],
])("a refusal that %s is refused, which the comparator alone does not do", async (_, change) => {
  const changed = structuredClone(pact);
  changed.interactions = changed.interactions.filter(({ description }) =>
    description.endsWith("user after logout"),
  );
  for (const interaction of changed.interactions) change(interaction);
  expect([
    ...inspect(changed, specification.document),
    ...(await specification.compare(changed)),
  ]).not.toEqual([]);
});
