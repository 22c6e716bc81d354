/** A verification as a person reads it: what broke, a line each, and then a line an interaction with all the reasons. */
import { nameOf, type Target } from "../target.ts";
import type { Verdict } from "./verify.ts";

export function verificationReport(verdicts: readonly Verdict[], target: Target): string {
  const broken = verdicts.flatMap((verdict) => {
    const { description, reasons } = verdict;
    return labelOf(verdict) === "failed" ? [`✗ ${description}: ${reasons.join("; ")}\n`] : [];
  });
  const first = broken.length > 0 ? `${broken.join("")}\n` : "";
  const lines = verdicts.flatMap((verdict) => {
    const { description, state, evidence, reasons } = verdict;
    const line = `  ${labelOf(verdict).padEnd(8)} ${description} (${evidence}), given ${state}`;
    return [line, ...reasons.map((reason) => `           ${reason}`)];
  });
  const count = (label: string) => verdicts.filter((verdict) => labelOf(verdict) === label).length;
  const counts = ["passed", "failed", "pending", "skipped"].map((label) => `${count(label)} ${label}`);
  return `${first}Verified against ${nameOf(target)}\n\n${lines.join("\n")}\n\n${counts.join(", ")}\n`;
}

/** `pending` is a mismatch that informs; a state that was not brought about fails in any case. */
function labelOf({ outcome, pending }: Verdict): string {
  if (outcome === "failed") return pending ? "pending" : "failed";
  return outcome === "unready" ? "failed" : outcome;
}
