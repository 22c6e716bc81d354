/** What of the recorded contract an OpenAPI document contradicts, by openapi-pact-comparator. */
import { Comparator } from "@pactflow/openapi-pact-comparator";
import type { PactFile } from "../pact-file.ts";
import type { Comparison } from "./compare.ts";
import type { ApiDocument } from "./document.ts";

export async function comparePact(pact: PactFile, { fields }: ApiDocument): Promise<Comparison> {
  const result: Comparison = { contradictions: [], oursAlone: [] };
  // It changes what it is given.
  const comparator = new Comparator(structuredClone(fields) as ConstructorParameters<typeof Comparator>[0]);
  for await (const { type, message, mockDetails } of comparator.compare(structuredClone(pact))) {
    const line = `${mockDetails?.interactionDescription ?? "the contract"}: ${message}`;
    (type === "error" ? result.contradictions : result.oursAlone).push(line);
  }
  return result;
}
