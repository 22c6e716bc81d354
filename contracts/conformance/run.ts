/**
 * The conformance run: sequences, and effects across sessions, that single interactions cannot test. It runs step by step
 * against any provider over HTTP. A failed step contradicts the documentation or an assumption.
 */
import { createApi, Unreachable } from "../api.ts";
import type { Evidence } from "../states.ts";
import { redact, type Target } from "../target.ts";
import { createAuthorizations } from "./authorizations.ts";
import { credentialSteps } from "./credentials.ts";
import { revocationSteps } from "./revocations.ts";
import { sessionSteps } from "./sessions.ts";
import { NotReached, type Step } from "./step.ts";

export interface Result {
  name: string;
  evidence: Evidence;
  /** `skipped`: the environment lacks a credential, the step needs permission, or an earlier step failed. */
  outcome: "passed" | "failed" | "skipped";
  /** Why it did not pass. */
  reason?: string;
}

export interface ConformanceOptions {
  target: Target;
  /** Sends requests that the staff of a real provider would object to. Default: with the sandbox only. */
  probeNegative?: boolean;
  /** Waits a moment. Default: one second. */
  pause?: () => Promise<void>;
}

export async function runConformance(options: ConformanceOptions): Promise<Result[]> {
  const { target, probeNegative = target.isSandbox, pause = aSecond } = options;
  const api = createApi(target);
  const context = { api, target, pause };
  const authorizations = createAuthorizations(target, api);
  const steps = [
    ...sessionSteps(context, authorizations),
    ...revocationSteps(context, authorizations),
    ...credentialSteps(context),
  ];
  const results: Result[] = [];
  for (const step of steps) {
    const mayRun = !step.isProbe || probeNegative;
    const end = mayRun
      ? await endOf(step)
      : ({ outcome: "skipped", reason: "needs --probe-negative" } as const);
    const { name, evidence } = step;
    const { outcome, reason } = end;
    results.push({ name, evidence, outcome, ...(reason && { reason: redact(reason, target) }) });
  }
  await api.endSessions();
  return results;
}

async function endOf(step: Step): Promise<Pick<Result, "outcome" | "reason">> {
  try {
    await step.run();
    return { outcome: "passed" };
  } catch (error) {
    const isSkipped = error instanceof Unreachable || error instanceof NotReached;
    const reason = error instanceof Error ? error.message : String(error);
    return { outcome: isSkipped ? "skipped" : "failed", reason };
  }
}

/** Returns the reasons why a run fails; empty on success. */
export function conformanceFailures(results: readonly Result[], { isSandbox }: Target): string[] {
  const failures = results.flatMap(({ name, evidence, outcome }) => {
    if (outcome === "failed" && evidence === "documented") return [`"${name}" failed.`];
    return outcome === "skipped" && isSandbox ? [`"${name}" was skipped.`] : [];
  });
  const isEmpty = results.every(({ outcome }) => outcome === "skipped");
  return isEmpty && failures.length === 0 ? ["Nothing was run."] : failures;
}

const aSecond = () => new Promise<void>((resolve) => setTimeout(resolve, 1_000));
