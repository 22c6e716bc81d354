/** `--dry-run`: reads a list, says which of its lines are not valid, and counts the others. Nothing is sent. */

import type { Config } from "../../options.ts";
import type { Endpoint } from "../../record.ts";
import { UsageError } from "../usage.ts";
import { codeOf, coloured, print, say } from "../words.ts";
import { type Journal, keysOf } from "./journal.ts";
import { linesOf } from "./lines.ts";
import { rowOf } from "./row.ts";

export const EMPTY = "The list is empty: standard input has no line with a token.";

/** @returns the exit code; @throws UsageError */
export async function checkList(
  config: Config,
  journal: Journal,
  endpoint: Endpoint,
  isJson: boolean,
): Promise<number> {
  const keyOf = keysOf(config.baseUrl, endpoint);
  const counts = { "to send": 0, "from the journal": 0, "invalid-line": 0 };
  try {
    for await (const line of linesOf(process.stdin)) {
      const row = rowOf(line, config.region);
      if (!row) continue;
      if (!("reason" in row)) {
        counts[journal.endOf(keyOf(row.region, row.accessToken)) ? "from the journal" : "to send"] += 1;
        continue;
      }
      counts["invalid-line"] += 1;
      const cells = [row.line, coloured("invalid-line", "red", process.stdout), row.reason];
      if (!(await print(isJson ? JSON.stringify({ line: row.line, invalid: row.reason }) : cells.join("\t"))))
        return 1;
    }
  } catch (error) {
    throw new UsageError(`The list cannot be read (${codeOf(error)}).`);
  }
  const told = Object.entries(counts).filter(([, count]) => count > 0);
  if (told.length === 0) throw new UsageError(EMPTY);
  const isValid = counts["invalid-line"] === 0;
  const sum = told.map(([name, count]) => `${count.toLocaleString("en")} ${name}`).join(", ");
  say(`${sum}. Nothing was sent.`, isValid ? "green" : "red");
  return isValid ? 0 : 1;
}
