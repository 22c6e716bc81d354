/** What is said of a list: a line of result for each of its lines, the counts, and the exit code they make. */

import type { SessionError } from "../../errors.ts";
import type { Endpoint } from "../../record.ts";
import { causeOf, type Outcome, outcomeJsonOf } from "../outcome.ts";
import { type Colour, coloured, print, printable, say } from "../words.ts";
import type { Ended } from "./journal.ts";
import type { InvalidLine, Row } from "./row.ts";

/** What became of a line. */
type Kind = Outcome["server"] | "invalid-line";

const colours: Record<Kind, Colour> = {
  confirmed: "green",
  "already-invalid": "green",
  unconfirmed: "red",
  "invalid-line": "red",
};

export interface Report {
  outcome(row: Row, outcome: Outcome): Promise<void>;
  /** It had ended in an earlier run, or earlier in this one. */
  journaled(row: Row, server: Ended): Promise<void>;
  invalid(line: InvalidLine): Promise<void>;
  /** Says the counts. @returns whether all of the list has ended */
  summary(): boolean;
}

/**
 * @param isJson - results as JSON
 * @param before - called before each line of result on a terminal
 * @param onClosed - stdout takes no more
 */
export function createReport(
  endpoint: Endpoint,
  isJson: boolean,
  before: () => void,
  onClosed: () => void,
): Report {
  const counts: Record<Kind, number> = {
    confirmed: 0,
    "already-invalid": 0,
    unconfirmed: 0,
    "invalid-line": 0,
  };
  let journaled = 0;
  const begun = Date.now();

  async function tell(kind: Kind, label: string | number, detail: string | undefined, json: object) {
    counts[kind] += 1;
    const cells = [printable(String(label)), coloured(kind, colours[kind], process.stdout), detail ?? ""];
    if (process.stdout.isTTY) before();
    if (!(await print(isJson ? JSON.stringify(json) : cells.join("\t").trimEnd()))) onClosed();
  }
  const nameOf = ({ line, id }: Row) => ({ line, ...(id !== undefined && { id }) });

  return {
    async outcome(row, outcome) {
      const detail = outcome.error
        ? detailOf(outcome.error)
        : outcome.verified === "active"
          ? "still-active"
          : undefined;
      await tell(outcome.server, row.id ?? row.line, detail, { ...nameOf(row), ...outcomeJsonOf(outcome) });
    },
    async journaled(row, server) {
      journaled += 1;
      await tell(server, row.id ?? row.line, "from the journal", { ...nameOf(row), server, journaled: true });
    },
    async invalid({ line, reason }) {
      await tell("invalid-line", line, reason, { line, invalid: reason });
    },
    summary() {
      const seconds = (Date.now() - begun) / 1_000;
      const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
      const told = (Object.keys(counts) as Kind[])
        .filter((kind) => counts[kind] > 0)
        .map((kind) => `${counts[kind].toLocaleString("en")} ${kind}`);
      const rate = Math.round(total / Math.max(seconds, 0.001)).toLocaleString("en");
      const isEnded = counts.unconfirmed + counts["invalid-line"] === 0;
      const ofJournal = journaled > 0 ? ` (${journaled.toLocaleString("en")} from the journal)` : "";
      const sum = told.length ? told.join(", ") : "No line has a result";
      say(`${sum}${ofJournal}; ${seconds.toFixed(1)} s, ${rate}/s.`, isEnded ? "green" : "red");
      if (endpoint === "revoke" && counts["already-invalid"] > 0)
        say("already-invalid is true of the access tokens: it says nothing of refresh tokens beside them.");
      return isEnded;
    },
  };
}

/** Such as `network ECONNREFUSED`. */
const detailOf = (error: SessionError) => [error.code, causeOf(error)].filter(Boolean).join(" ");
