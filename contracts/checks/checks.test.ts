/** The recorded contract is strict, a subset of the specification, and what the README says it is. */
import { readFile } from "node:fs/promises";
import { Comparator } from "@pactflow/openapi-pact-comparator";
import { beforeAll, describe, expect, it } from "vitest";
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

it("the recorded contract is a subset of the specification", async () => {
  expect(await specification.compare(pact)).toEqual([]);
});

it("the recorded contract takes nothing that it need not take", () => {
  expect(inspect(pact, specification.document)).toEqual([]);
});

it("the README tells the provider's team what the contract says", async () => {
  expect(compareReadme(pact, await readReadme())).toEqual([]);
});

it("the provider states that are shipped as JSON are those of the contract", async () => {
  const file = new URL("../provider-states.json", import.meta.url);
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual(
    Object.entries(states).map(([name, { values }]) => ({
      ...{ name, params: { region: [...regions] }, returns: Object.keys(values) },
    })),
  );
});

describe("the comparator looks away, and the check beside it does not, where", () => {
  const blind: { where: string; change: (interaction: PactInteraction) => void; said: string }[] = [
    {
      where: "a refusal states no access token",
      change: ({ request }) => delete request.headers?.["authorization"],
      said: "the credentials that the specification requires are not all stated",
    },
    {
      where: "a refusal states no client key",
      change: ({ request }) => delete request.headers?.["x-client-key"],
      said: "the credentials that the specification requires are not all stated",
    },
    {
      where: "a refusal states an access token without Bearer",
      change: ({ request }) => Object.assign(request.headers ?? {}, { authorization: ["example"] }),
      said: "the credentials that the specification requires are not all stated",
    },
    {
      where: "a refusal states a header that is not specified",
      change: ({ request }) => Object.assign(request.headers ?? {}, { "x-tenant": ["example"] }),
      said: "the specification does not know the header x-tenant",
    },
    {
      where: "the evidence is not the one of the specification",
      change: ({ comments }) => Object.assign(comments.references.evidence, { kind: "observed" }),
      said: "its evidence is not the one of the specification, documented",
    },
  ];

  it.each(blind)("$where", async ({ change, said }) => {
    const changed = structuredClone(pact);
    const refusal = changed.interactions.filter(({ description }) =>
      description.endsWith("user after logout"),
    );
    for (const interaction of refusal) change(interaction);
    const one = { ...changed, interactions: refusal };
    expect(await errorsOf(one)).toEqual([]);
    expect(await specification.compare(one)).toContain(`a read of the user after logout: ${said}`);
  });

  it("a success states one of two credentials", async () => {
    const changed = structuredClone(pact);
    const success = changed.interactions.filter(({ description }) => description === "a logout");
    for (const { request } of success) delete request.headers?.["x-client-key"];
    const one = { ...changed, interactions: success };
    expect(await errorsOf(one)).toEqual([]);
    expect(await specification.compare(one)).not.toEqual([]);
  });
});

/** What the comparator alone calls an error. */
async function errorsOf(changed: PactFile): Promise<string[]> {
  const errors: string[] = [];
  const document = structuredClone(specification.document) as ConstructorParameters<typeof Comparator>[0];
  const comparator = new Comparator(document);
  for await (const { type, code } of comparator.compare(changed)) if (type === "error") errors.push(code);
  return errors;
}
