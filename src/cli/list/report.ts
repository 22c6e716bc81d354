/** The report of a list: its progress on a terminal, a line of result for each line, the counts, and the rest. */
import { fstatSync } from "node:fs";
import type { SessionError } from "../../errors.ts";
import type { Endpoint } from "../../record.ts";
import { causeOf, type Outcome, outcomeJsonOf, said } from "../outcome.ts";
import { type Colour, coloured, escaped, type Io, print, say } from "../output.ts";
import type { Entry } from "./journal.ts";
import type { InvalidLine, Row } from "./row.ts";

type Kind = Outcome["server"] | "invalid-line";

const colours: Record<Kind, Colour> = {
  confirmed: "green",
  "already-invalid": "green",
  unconfirmed: "red",
  "invalid-line": "red",
};

const DRAW_MS = 100;

const shown = (count: number) => count.toLocaleString("en");

/** Prints the result of one line. Resolves to the code of the failure, such as EPIPE. */
export function printResult(
  io: Io,
  isJson: boolean,
  { line, id }: Pick<Row, "line" | "id">,
  kind: Kind,
  detail: string,
  json: object,
  at = new Date(),
): Promise<string | undefined> {
  if (isJson) {
    const text = JSON.stringify({ line, ...(id && { id: 0 }), ...json, at: at.toISOString() });
    return print(io, escaped(text.replace('"id":0', () => `"id":${id}`)));
  }
  const label = id?.startsWith('"') ? String(JSON.parse(id)) : (id ?? String(line));
  const cells = [escaped(label), coloured(kind, colours[kind], io.stdout), detail];
  return print(io, cells.join("\t").trimEnd());
}

/**
 * @param isJson - results as JSON
 * @param onClosed - called with the code of the failure if stdout accepts no more
 */
export function createReport(io: Io, endpoint: Endpoint, isJson: boolean, onClosed: (code: string) => void) {
  const counts: Record<Kind, number> = {
    confirmed: 0,
    "already-invalid": 0,
    unconfirmed: 0,
    "invalid-line": 0,
  };
  /** The number of errors with each code, and the first of them. */
  const reasons = new Map<string, { count: number; reason: string }>();
  const begun = Date.now();
  const total = sizeOf(io);
  /** Only tokens of this run have taken time: those of the journal are neither in the rate nor in the time left. */
  let [journaled, sent, bytes, sentBytes, drawnAt, lastLine] = [0, 0, 0, 0, 0, 0];

  const seconds = () => Math.max((Date.now() - begun) / 1_000, 0.001);
  const rate = () => `${shown(Math.round(sent / seconds()))}/s`;

  function draw(): void {
    if (!io.stderr.isTTY || io.isQuiet) return;
    drawnAt = Date.now();
    const left = `${Math.ceil(((total - bytes) * seconds()) / Math.max(sentBytes, 1))} s left`;
    const whole = total ? [`${Math.floor((100 * bytes) / total)}%`] : [];
    // Too early, they would be guesses.
    const speed = sent === 0 ? [] : [rate(), ...(total ? [left] : [])];
    const cells = [...whole, `${shown(sent + journaled)} done`, ...speed];
    io.stderr.write(`\r\x1b[K${cells.join(" | ")}`);
  }
  const clear = () => io.stderr.isTTY && !io.isQuiet && io.stderr.write("\r\x1b[K");

  async function add(kind: Kind, row: Pick<Row, "line" | "id">, detail: string, json: object, at?: Date) {
    counts[kind] += 1;
    if (io.stdout.isTTY) clear();
    const code = await printResult(io, isJson, row, kind, detail, json, at);
    if (code) onClosed(code);
  }

  return {
    /** @param at - when the server answered */
    async outcome(row: Row, outcome: Outcome, at: Date): Promise<void> {
      const { server, error, verified } = outcome;
      if (error) {
        const { count = 0, reason = said(error) } = reasons.get(error.code) ?? {};
        reasons.set(error.code, { count: count + 1, reason });
      }
      const detail = error ? detailOf(error) : verified === "active" ? "still-active" : "";
      await add(server, row, detail, outcomeJsonOf(outcome), at);
    },
    /** Reports a token that ended in an earlier run, or earlier in this one. */
    async journaled(row: Row, server: Exclude<Entry, "proven">): Promise<void> {
      journaled += 1;
      await add(server, row, "from the journal", { server, journaled: true });
    },
    async invalid({ line, reason }: InvalidLine): Promise<void> {
      await add("invalid-line", { line }, reason, { invalid: reason });
    },
    /** Counts a line that has its result, or waits for the proof of its region. */
    advance(line: { number: number; bytes: number }, isSent: boolean): void {
      lastLine = Math.max(lastLine, line.number);
      bytes += line.bytes;
      if (isSent) [sent, sentBytes] = [sent + 1, sentBytes + line.bytes];
      if (Date.now() - drawnAt >= DRAW_MS) draw();
    },
    /** Prints a message above the progress. */
    say(line: string, colour?: Colour): void {
      clear();
      say(io, line, colour);
    },
    draw,
    /**
     * Prints the counts and, unless all tokens have ended, the rest and the command that continues.
     *
     * @returns whether all tokens have ended
     */
    summary(isStopped: boolean, command: string): boolean {
      draw();
      if (io.stderr.isTTY && !io.isQuiet) io.stderr.write("\n");
      const sums = (Object.keys(counts) as Kind[])
        .filter((kind) => counts[kind] > 0)
        .map((kind) => `${shown(counts[kind])} ${kind}`);
      const isEnded = counts.unconfirmed + counts["invalid-line"] === 0;
      const ofJournal = journaled > 0 ? ` (${shown(journaled)} from the journal)` : "";
      const sum = sums.length ? sums.join(", ") : "No line has a result";
      say(io, `${sum}${ofJournal}; ${seconds().toFixed(1)} s, ${rate()}.`, isEnded ? "green" : "red");
      if (endpoint === "revoke" && counts["already-invalid"] > 0)
        say(
          io,
          "already-invalid is true of the access tokens: it says nothing of refresh tokens beside them.",
        );
      for (const { count, reason } of reasons.values()) say(io, `${shown(count)} × ${reason}`, "red");
      const left = [
        ...(counts.unconfirmed > 0 ? [`${shown(counts.unconfirmed)} unconfirmed`] : []),
        ...(counts["invalid-line"] > 0 ? [`${shown(counts["invalid-line"])} lines to correct`] : []),
        ...(isStopped ? [`every line after line ${shown(lastLine)}`] : []),
      ];
      if (left.length > 0)
        say(io, `Left: ${left.join(", ")}. With the same list, run again: ${command}`, "red");
      return isEnded;
    },
  };
}

/** Such as `network ECONNREFUSED`. */
const detailOf = (error: SessionError) => [error.code, causeOf(error)].filter(Boolean).join(" ");

/** Returns the length of the list in bytes; 0 if it is not known, as of a pipe. */
function sizeOf({ stdin }: Io): number {
  const stats = typeof stdin.fd === "number" ? fstatSync(stdin.fd) : undefined;
  return stats?.isFile() ? stats.size : 0;
}
