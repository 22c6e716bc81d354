/** Formats a conformance run as a table, or as JSON for a pipeline. */
import { describeTarget, type Target } from "../target.ts";
import { conformanceFailures, type Result } from "./run.ts";

export function conformanceTable(results: readonly Result[], target: Target): string {
  const name = Math.max(...results.map((result) => result.name.length));
  const lines = results.map(
    (result) =>
      `  ${result.outcome.padEnd(7)}  ${result.evidence.padEnd(10)}  ${result.name.padEnd(name)}  ${result.reason ?? ""}`,
  );
  const counts = ["passed", "failed", "skipped"].map(
    (outcome) => `${results.filter((result) => result.outcome === outcome).length} ${outcome}`,
  );
  return `Conformance of ${describeTarget(target)}\n\n${lines.map((line) => line.trimEnd()).join("\n")}\n\n${counts.join(", ")}\n`;
}

export function conformanceJson(results: readonly Result[], target: Target): string {
  const { baseUrl, isSandbox } = target;
  const report = { baseUrl, isSandbox, failures: conformanceFailures(results, target), steps: results };
  return `${JSON.stringify(report, null, 2)}\n`;
}
