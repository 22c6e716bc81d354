/** The result of a benchmark: its form, its output, and its transfer to `run.ts`, the parent process. */

/** One contender, with its numbers by column. */
export interface Row {
  name: string;
  [column: string]: number | string;
}

/** A target. A benchmark does not fail if it misses one. */
export interface Target {
  what: string;
  measured: number;
  limit: number;
  /** The limit is a minimum instead of a maximum. */
  isLeast?: boolean;
}

export interface Table {
  title: string;
  /** The method, in a sentence or two. */
  note: string;
  rows: Row[];
  targets: Target[];
}

export function isMet({ measured, limit, isLeast }: Target): boolean {
  return isLeast ? measured >= limit : measured <= limit;
}

/** Sends a table to `run.ts`, or prints it if the file runs alone. */
export function report(table: Table): void {
  if (process.send) process.send(table);
  else process.stdout.write(formatTable(table));
}

export function formatTable({ title, note, rows, targets }: Table): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((name) => name !== "name");
  const first = Math.max(...rows.map(({ name }) => name.length));
  const cell = (text: string, column: string) => text.padStart(Math.max(column.length, 9) + 2);
  const lines = [
    title,
    `${" ".repeat(first)}${columns.map((column) => cell(column, column)).join("")}`,
    ...rows.map(
      (row) =>
        `${row.name.padEnd(first)}${columns.map((column) => cell(formatNumber(row[column]), column)).join("")}`,
    ),
    ...targets.map((target) => {
      const { what, measured, limit, isLeast } = target;
      return `${isMet(target) ? "✓ met   " : "✗ missed"} ${what}: ${formatNumber(measured)}, target ${isLeast ? "≥" : "≤"} ${formatNumber(limit)}`;
    }),
    note,
  ];
  return `\n${lines.join("\n")}\n`;
}

function formatNumber(value: number | string | undefined): string {
  if (typeof value !== "number") return value ?? "";
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return value.toFixed(value < 100 ? 2 : 0);
}
