/** Formats the proof as a table: which run detected each broken provider, and which party it breaks. */
import type { Proof } from "./proof.ts";

export function proofReport(proofs: readonly Proof[]): string {
  const lines = proofs.flatMap(({ name, contract, informs, conformance, assumptions, breaks }) => [
    `${name}: breaks ${breaks.join(" and ") || "nothing that was noticed"}`,
    ...contract.map(
      ({ outcome, description, reason }) =>
        `  contract     ${outcome === "unready" ? `state of ${description}` : description}: ${reason}`,
    ),
    ...informs.map(({ description, reason }) => `  (pending)    ${description}: ${reason}`),
    ...conformance.map(({ name: step, reason }) => `  conformance  ${step}: ${reason}`),
    ...assumptions.map(({ name: step, evidence, reason }) => `  (${evidence}) ${step}: ${reason}`),
  ]);
  return `${lines.join("\n")}\n`;
}

/** Checks that the provider is rejected, apart from pending and assumed parts. */
export const isCaught = ({ contract, conformance }: Proof): boolean =>
  contract.length > 0 || conformance.length > 0;
