/** The suite can fail: an answer, not a timeout, rejects every broken provider. The correct provider passes. */
import { beforeAll, describe, expect, it } from "vitest";
import { readPact } from "../pact-file.ts";
import { brokenAnswers } from "./broken-answers.ts";
import { brokenAssumptions } from "./broken-assumptions.ts";
import { brokenEffects } from "./broken-effects.ts";
import { intact, type Proof, proveAll } from "./proof.ts";

const broken = [...brokenAnswers, ...brokenEffects];
const proofs = new Map<string, Proof>();

beforeAll(async () => {
  for (const proof of await proveAll([intact, ...broken, ...brokenAssumptions], await readPact()))
    proofs.set(proof.name, proof);
  // Eighty replays, perhaps on a busy machine.
}, 600_000);

function proofOf({ name }: { name: string }): Proof {
  const proof = proofs.get(name);
  if (!proof) throw new Error(`The proof of "${name}" is missing.`);
  return proof;
}

/** Returns the reasons for rejecting a provider. */
const rejectionsOf = ({ contract, conformance }: Proof) =>
  [...contract, ...conformance].map(({ reason }) => reason);

it("passes the correct provider in both runs", () => {
  const { contract, informs, conformance, assumptions } = proofOf(intact);
  expect({ contract, informs, conformance, assumptions }).toEqual({
    contract: [],
    informs: [],
    conformance: [],
    assumptions: [],
  });
});

describe("a provider is rejected where", () => {
  it.each(broken)("$name", (breakage) => {
    const proof = proofOf(breakage);
    expect(proof.breaks).not.toEqual([]);
    const reasons = [...rejectionsOf(proof), ...proof.informs.map(({ reason }) => reason)];
    expect(reasons.join("\n")).not.toMatch(/no answer|time ?out|timed out/i);
  });

  it("covers at least 25 breakages", () => {
    expect(new Set(broken.map(({ name }) => name)).size).toBeGreaterThanOrEqual(25);
  });
});

it("rejects by the conformance run alone the breakages that single interactions cannot see", () => {
  const unseen = broken.filter((breakage) => !proofOf(breakage).breaks.includes("this consumer"));
  expect(unseen.map(({ name }) => name)).toEqual([
    "a logout answers JSON that is called text",
    "a revocation answers JSON that is called text",
    "a dead token is answered with a page of status 401",
    "a dead token is answered with 401 as plain text",
    "a dead token is answered with 401 and no body",
    "a dead token is answered with 401 and no message",
    "the user has an id that is not a UUID",
    "the user is another user",
    "the user is JSON that is called text",
    "an access token is accepted in the query string",
    "a token comes back a while after its end",
    "a token comes back with the next login",
    "a logout ends all sessions of the user",
    "a logout ends the authorizations of another user",
    "a revocation ends only its own access token",
    "a revocation logs the user out",
    "a login after a logout is refused",
    "a login answers without an access token",
    "any client key is accepted",
    "a missing client key is accepted",
    "a logout is accepted with any client key",
  ]);
});

describe("a provider is reported, but not rejected, where", () => {
  it.each(brokenAssumptions)("$name", (breakage) => {
    const proof = proofOf(breakage);
    expect(rejectionsOf(proof)).toEqual([]);
    expect([...proof.informs, ...proof.assumptions]).not.toEqual([]);
  });
});
