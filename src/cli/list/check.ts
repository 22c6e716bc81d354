/** `--dry-run`: reports the lines of a list that are not valid, and counts the others. Nothing is sent. */
import type { Config } from "../../options.ts";
import { codeOf, type Io, say } from "../output.ts";
import { type Flags, UsageError } from "../usage.ts";
import type { Journal, Keys } from "./journal.ts";
import { linesOf } from "./lines.ts";
import { printResult } from "./report.ts";
import { rowOf } from "./row.ts";

export const EMPTY = "The list is empty: standard input does not contain a line with a token.";

/** @returns the exit code; @throws UsageError */
export async function checkList(
  config: Config,
  journal: Journal,
  keys: Keys,
  { json }: Flags,
  io: Io,
): Promise<number> {
  const counts = { "to send": 0, "from the journal": 0, "invalid-line": 0 };
  try {
    for await (const line of linesOf(io.stdin)) {
      const row = rowOf(line, config.region);
      if (!row) continue;
      if (!("reason" in row)) {
        counts[journal.get(keys.token(row.region, row.accessToken)) ? "from the journal" : "to send"] += 1;
        continue;
      }
      counts["invalid-line"] += 1;
      const { reason } = row;
      if (await printResult(io, json, row, "invalid-line", reason, { invalid: reason })) return 1;
    }
  } catch (error) {
    throw new UsageError(`The list cannot be read (${codeOf(error)}).`);
  }
  const sums = Object.entries(counts).filter(([, count]) => count > 0);
  if (sums.length === 0) throw new UsageError(EMPTY);
  const isValid = counts["invalid-line"] === 0;
  const sum = sums.map(([name, count]) => `${count.toLocaleString("en")} ${name}`).join(", ");
  say(io, `${sum}. Nothing was sent.`, isValid ? "green" : "red");
  return isValid ? 0 : 1;
}
