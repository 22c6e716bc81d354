/** The contract cannot be changed unnoticed: each mutation of it is refused by a judge, not by a comparison of bytes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PactFile, readPact } from "../pact-file.ts";
import { openTarget } from "../target.ts";
import { createDriver } from "../verification/driver.ts";
import { createReplayer, type Replayer } from "../verification/replay.ts";
import { verify } from "../verification/verify.ts";
import { type Mutation, mutationsOf } from "./mutations.ts";
import { compareReadme, readReadme } from "./readme.ts";
import { readSpecification } from "./specification.ts";
import { inspect } from "./structure.ts";

const pact = await readPact();
const specification = await readSpecification();
const { document } = specification;
const readme = await readReadme();
const mutations = mutationsOf(pact);

let replayer: Replayer;

beforeAll(() => {
  replayer = createReplayer();
});

afterAll(() => replayer.close());

describe("a contract is refused that has been changed by one thing:", () => {
  it.each(mutations)("$name", async (mutation) => {
    const said = [
      ...(await specification.compare(mutation.pact)),
      ...inspect(mutation.pact, document),
      ...compareReadme(mutation.pact, readme),
    ];
    if (said.length === 0) expect(await outcomeOf(mutation)).not.toBe("passed");
  });

  it("in more than 300 ways", () => {
    expect(mutations.length).toBeGreaterThan(300);
  });
});

describe("the correct provider does not satisfy a contract with", () => {
  const differs = /: (status \d+|success is (a text|false|one of two))$/;
  it.each(mutations.filter(({ name }) => differs.test(name)))("$name", async (mutation) => {
    expect(await outcomeOf(mutation)).not.toBe("passed");
  });
});

it("an interaction that is left out is missed", () => {
  for (const left of pact.interactions) {
    const mutated = { ...pact, interactions: pact.interactions.filter((other) => other !== left) };
    expect(compareReadme(mutated, readme)).toEqual([
      `README.md tells otherwise of the interaction ${left.description}`,
    ]);
  }
});

it("an interaction that is there twice, and other names, are noticed", () => {
  const twice = { ...pact, interactions: [...pact.interactions, ...pact.interactions.slice(0, 1)] };
  expect(inspect(twice, document)).toContain("two interactions have one description");
  expect(inspect({ ...pact, consumer: { name: "another" } }, document)).not.toEqual([]);
  expect(inspect({ ...pact, provider: { name: "another" } }, document)).not.toEqual([]);
});

/** What the verification says of the interaction that was changed. */
async function outcomeOf({ pact: mutated, index }: Mutation): Promise<string | undefined> {
  const { target, close } = await openTarget({}, undefined, false);
  try {
    const one: PactFile = { ...mutated, interactions: mutated.interactions.slice(index, index + 1) };
    const verdicts = await verify({ pact: one, target, handlers: createDriver(target).handlers, replayer });
    return verdicts[0]?.outcome;
  } finally {
    await close();
  }
}
