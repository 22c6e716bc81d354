/** What a benchmark has measured: its form, its print, and how it reaches `run.ts`, which runs each in a process of its own. */

/** One contender; its numbers by column. */
export interface Row {
  name: string;
  [column: string]: number | string;
}

/** What was aimed at. Missed or not, a benchmark never fails. */
export interface Target {
  what: string;
  measured: number;
  limit: number;
  /** The limit is the least rather than the most. */
  isLeast?: boolean;
}

export interface Table {
  title: string;
  /** How it was measured, in a sentence or two. */
  note: string;
  rows: Row[];
  targets: Target[];
}

export function isMet({ measured, limit, isLeast }: Target): boolean {
  return isLeast ? measured >= limit : measured <= limit;
}

/** Hands a table to `run.ts`, or prints it where a file was run by itself. */
export function report(table: Table): void {
  if (process.send) process.send(table);
  else process.stdout.write(shown(table));
}

export function shown({ title, note, rows, targets }: Table): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((name) => name !== "name");
  const first = Math.max(...rows.map(({ name }) => name.length));
  const cell = (text: string, column: string) => text.padStart(Math.max(column.length, 9) + 2);
  const lines = [
    title,
    `${" ".repeat(first)}${columns.map((column) => cell(column, column)).join("")}`,
    ...rows.map(
      (row) =>
        `${row.name.padEnd(first)}${columns.map((column) => cell(figure(row[column]), column)).join("")}`,
    ),
    ...targets.map((target) => {
      const { what, measured, limit, isLeast } = target;
      return `${isMet(target) ? "✓ met   " : "✗ missed"} ${what}: ${figure(measured)}, target ${isLeast ? "≥" : "≤"} ${figure(limit)}`;
    }),
    note,
  ];
  return `\n${lines.join("\n")}\n`;
}

function figure(value: number | string | undefined): string {
  if (typeof value !== "number") return value ?? "";
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return value.toFixed(value < 100 ? 2 : 0);
}
