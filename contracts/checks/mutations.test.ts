/** Each mutation of the contract is detected by a judge, not by a comparison of bytes. */
import { expect, it } from "vitest";
import { readPact } from "../pact-file.ts";
import { openTarget } from "../target.ts";
import { createDriver } from "../verification/driver.ts";
import { verifyFile } from "../verification/verify.ts";
import { type Mutation, mutationsOf } from "./mutations.ts";
import { compareReadme, readReadme } from "./readme.ts";
import { readSpecification } from "./specification.ts";
import { inspect } from "./structure.ts";

const pact = await readPact();
const specification = await readSpecification();
const { document } = specification;
const readme = await readReadme();
const mutations = mutationsOf(pact);

it("refuses a contract that was changed by one thing, in more than 3,000 ways", async () => {
  expect(mutations.length).toBeGreaterThan(3_000);
  const unnoticed: Mutation[] = [];
  for (const mutation of mutations) if ((await saidOf(mutation)).length === 0) unnoticed.push(mutation);
  expect(await keptBySandbox(unnoticed)).toEqual([]);
});

it("does not let the correct provider keep a contract with another status or success", async () => {
  const differs = /^response\.(status is \d+|body\.content\.success is )/;
  expect(await keptBySandbox(mutations.filter(({ change }) => differs.test(change)))).toEqual([]);
});

it("misses an interaction that is left out", () => {
  for (const left of pact.interactions) {
    const mutated = { ...pact, interactions: pact.interactions.filter((other) => other !== left) };
    expect(compareReadme(mutated, readme)).toEqual([
      `README.md tells otherwise of the interaction ${left.description}`,
    ]);
  }
});

it("detects a repeated interaction, and changed names", () => {
  const twice = { ...pact, interactions: [...pact.interactions, ...pact.interactions.slice(0, 1)] };
  expect(inspect(twice, document)).toContain("two interactions have one description");
  expect(inspect({ ...pact, consumer: { name: "another" } }, document)).not.toEqual([]);
  expect(inspect({ ...pact, provider: { name: "another" } }, document)).not.toEqual([]);
});

/** Returns the judges' findings for a mutation, or the reason why it cannot be read. */
async function saidOf({ pact: mutated }: Mutation): Promise<string[]> {
  try {
    const said = [...inspect(mutated, document), ...compareReadme(mutated, readme)];
    return said.length > 0 ? said : await specification.compare(mutated);
  } catch (error) {
    return [String(error)];
  }
}

/** Returns the mutations that the sandbox satisfies. Interactions with the same change are replayed in one run. */
async function keptBySandbox(mutated: readonly Mutation[]): Promise<string[]> {
  const kept: string[] = [];
  for (const change of new Set(mutated.map((mutation) => mutation.change))) {
    const same = mutated.filter((mutation) => mutation.change === change);
    const { target, close } = await openTarget({}, undefined, false);
    const run = { target, handlers: createDriver(target).handlers };
    const interactions = same.map(({ interaction }) => interaction);
    const verified = await verifyFile({ ...pact, interactions }, run).finally(close);
    const passed = verified.filter(({ outcome }) => outcome === "passed");
    kept.push(...passed.map(({ description }) => `${description}: ${change}`));
  }
  return kept;
}
