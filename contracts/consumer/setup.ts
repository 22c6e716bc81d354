/**
 * Creates a new folder for the pact file of the consumer's tests, because Pact appends to an existing file.
 * `scripts/contracts.ts` may name the folder, to keep the result.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    pacts: string;
  }
}

export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const named = process.env["CONTRACTS_OUTPUT"];
  const pacts = named ?? (await mkdtemp(join(tmpdir(), "baanx-session-pacts-")));
  await rm(pacts, { recursive: true, force: true });
  await mkdir(pacts, { recursive: true });
  provide("pacts", pacts);
  return () => (named ? Promise.resolve() : rm(pacts, { recursive: true, force: true }));
}
