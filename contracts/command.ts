/**
 * The frame of every command of this repository: parses arguments, prints errors in one line, and sets the exit code.
 * Each command defines its own work and further exit codes.
 */
import { type ParseArgsConfig, parseArgs } from "node:util";

/** Wrong usage of a command. The message names the problem without quoting a secret. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig["options"]>;
type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ options: O; strict: true; allowPositionals: true }>
>;

export interface Command<O extends Options> {
  /** The prefix of its messages. */
  name: string;
  help: string;
  /** All options except `--help`, which every command has. */
  options: O;
  /** Accepts positional arguments. Default: false. */
  allowPositionals?: boolean;
  /** Resolves to the failures, one line each; to nothing on success. */
  run(values: Parsed<O>["values"], positionals: string[]): Promise<readonly string[]> | Promise<void>;
}

/** Runs a command and sets the exit code: 1 after a failure, 2 after wrong usage. */
export async function runCommand<O extends Options>(
  { name, help, options, allowPositionals = false, run }: Command<O>,
  args: string[] = process.argv.slice(2),
): Promise<void> {
  const fail = (exitCode: number, lines: readonly string[]) => {
    for (const line of lines) process.stderr.write(`${name}: ${line}\n`);
    process.exitCode = exitCode;
  };
  if (args.includes("--help")) {
    process.stdout.write(help);
    return;
  }
  try {
    const { values, positionals } = parsed(args, options, allowPositionals);
    const failures = (await run(values, positionals)) ?? [];
    if (failures.length > 0) fail(1, failures);
  } catch (error) {
    if (error instanceof UsageError) fail(2, [`${firstLine(error)} See --help.`]);
    else fail(1, [firstLine(error)]);
  }
}

function parsed<O extends Options>(args: string[], options: O, allowPositionals: boolean): Parsed<O> {
  try {
    return parseArgs({ args, options, strict: true, allowPositionals });
  } catch (error) {
    // Later sentences of Node's message are hints for other programs.
    throw new UsageError(`${firstLine(error).split(". ", 1)[0]?.replace(/\.$/, "")}.`);
  }
}

/** Returns the first line of an error, without its stack. */
export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}

/** @throws UsageError */
export function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new UsageError(`--port takes a number from 0 to 65535, not "${text}".`);
}
