/**
 * Verifies a contract against a provider: brings each provider state about, replays the interaction and
 * collects a verdict on each. How a state is reached is the driver's, how a request is replayed the replayer's.
 */
import { Unreachable } from "../api.ts";
import { evidenceOf, type PactFile, type PactInteraction } from "../pact-file.ts";
import {
  isStateName,
  regions,
  type StateHandlers,
  type StateName,
  type StateParameters,
  states,
} from "../states.ts";
import { redact, type Target } from "../target.ts";
import { mismatchLine } from "./mismatch.ts";
import type { Mismatch, Replayer } from "./replay.ts";

export interface Verdict {
  description: string;
  state: string;
  evidence: string;
  /** Whether a mismatch informs and does not fail the run. */
  pending: boolean;
  /** `unready`: the state was not brought about, and should have been. `skipped`: it cannot be, here. */
  outcome: "passed" | "failed" | "unready" | "skipped";
  /** Why it did not pass, a line each. */
  reasons: string[];
  /** Those of the reasons that are of the answer. */
  mismatches: Mismatch[];
  /** The broker's name for the interaction, of a contract that came from there. */
  id: string | undefined;
}

/** Some handlers may be missing where they come from elsewhere, as in other languages they do. */
export type Handlers = Partial<StateHandlers>;

export interface Verification {
  pact: PactFile;
  target: Target;
  handlers: Handlers;
  replayer: Replayer;
  /** Only interactions of this kind of evidence. */
  only?: string | undefined;
  /**
   * What is known of this provider already, by the content of an interaction: contracts of one consumer have most of
   * theirs in common, and each replay may use something up.
   */
  known?: Map<string, Judgement>;
}

type Judgement = Pick<Verdict, "outcome" | "reasons" | "mismatches">;

export async function verify(verification: Verification): Promise<Verdict[]> {
  const { pact, target, handlers, replayer, only, known } = verification;
  const verdicts: Verdict[] = [];
  for (const interaction of inOrder(pact.interactions)) {
    const { description, pending, providerStates } = interaction;
    const evidence = evidenceOf(interaction);
    if (only !== undefined && evidence !== only) continue;
    const state = providerStates.map(({ name }) => name).join(", ");
    const content = contentOf(interaction);
    const judgement = known?.get(content) ?? (await judge(interaction));
    if (isReplayed(judgement)) known?.set(content, judgement);
    const id = typeof interaction["_id"] === "string" ? interaction["_id"] : undefined;
    verdicts.push({ id, description, state, evidence, pending, ...judgement });
  }
  return verdicts;

  async function judge(interaction: PactInteraction): Promise<Judgement> {
    let values: Record<string, string>;
    // Not left to Pact: it sends the request all the same when a handler throws or is missing.
    try {
      values = await bringAbout(interaction, handlers);
    } catch (error) {
      const outcome = error instanceof Unreachable ? "skipped" : "unready";
      const reason = error instanceof Error ? error.message : String(error);
      return { outcome, reasons: [redact(reason, target)], mismatches: [] };
    }
    target.secrets.push(...Object.values(values).filter((value) => !target.secrets.includes(value)));
    const one = { ...pact, interactions: [interaction] };
    const replayed = await replayer.replay({ baseUrl: target.baseUrl, pact: one, values });
    const mismatches = replayed.mismatches.map(({ attribute, identifier, description }) => ({
      attribute,
      identifier: redact(identifier, target),
      description: redact(description, target),
    }));
    const outcome = mismatches.length === 0 ? "passed" : "failed";
    return { outcome, reasons: mismatches.map(mismatchLine), mismatches };
  }
}

const isReplayed = ({ outcome }: Judgement) => outcome === "passed" || outcome === "failed";

/** Two contracts that have one interaction call it the same; the broker's name for it is another in each. */
const contentOf = ({ _id, ...content }: PactInteraction) => JSON.stringify(content);

/** Those that end authorizations come last: to revoke one may end others. */
function inOrder(interactions: PactInteraction[]): PactInteraction[] {
  const order = Object.keys(states);
  const rank = ({ providerStates }: PactInteraction) => order.indexOf(providerStates[0]?.name ?? "");
  return [...interactions].sort((a, b) => rank(a) - rank(b));
}

async function bringAbout({ providerStates }: PactInteraction, handlers: Handlers) {
  const values: Record<string, string> = {};
  for (const { name, params } of providerStates) {
    if (!isStateName(name))
      throw new Error(`There is no provider state "${name}"; there are: ${Object.keys(states).join("; ")}.`);
    const handler = handlers[name];
    if (!handler) throw new Error(`The state "${name}" has no handler.`);
    const returned: Record<string, unknown> = { ...(await handler(parametersOf(name, params))) };
    for (const key of Object.keys(states[name].values)) {
      const value = returned[key];
      if (typeof value !== "string") throw new Error(`The handler of "${name}" returned no ${key}.`);
      values[key] = value;
    }
  }
  return values;
}

function parametersOf(name: StateName, { region, ...others }: Record<string, unknown> = {}): StateParameters {
  const known = regions.find((one) => one === region);
  if (known && Object.keys(others).length === 0) return { region: known };
  throw new Error(`The state "${name}" takes one parameter: region, international or us.`);
}

/** Why a run is not a success; nothing when it is one. */
export function failuresOf(verdicts: readonly Verdict[], { isSandbox }: Target): string[] {
  const failures = verdicts.flatMap(({ description, outcome, pending }) => {
    if (outcome === "unready") return [`The state of "${description}" was not brought about.`];
    if (outcome === "failed" && !pending) return [`"${description}" failed.`];
    return outcome === "skipped" && isSandbox ? [`"${description}" was skipped.`] : [];
  });
  const isEmpty = verdicts.every(({ outcome }) => outcome === "skipped");
  return isEmpty && failures.length === 0 ? ["Nothing was verified."] : failures;
}
