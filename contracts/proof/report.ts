/** The proof as a table: what caught each broken provider, and whom it breaks. */
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

/** Whether what the suite is for rejects the provider, pending and assumed parts aside. */
export const isCaught = ({ contract, conformance }: Proof): boolean =>
  contract.length > 0 || conformance.length > 0;
