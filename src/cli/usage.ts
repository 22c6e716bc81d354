/**
 * What the command line understands: commands and options as data, and the reading of arguments. It quotes no
 * argument in any case, since a secret may have been pasted as one. The words of `--help` are `help.ts`.
 */
import { parseArgs } from "node:util";

/** Wrong usage or configuration: exit code 2. Its message quotes no value. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const options = {
  json: { type: "boolean", default: false },
  region: { type: "string" },
  timeout: { type: "string" },
  verify: { type: "boolean", default: false },
  stdin: { type: "boolean", default: false },
  concurrency: { type: "string" },
  journal: { type: "string" },
  "accept-401": { type: "boolean", default: false },
  port: { type: "string" },
  help: { type: "boolean", default: false },
  version: { type: "boolean", default: false },
} as const;

export type Option = keyof typeof options;

const ending = [
  "json",
  "region",
  "timeout",
  "verify",
  "stdin",
  "concurrency",
  "journal",
  "accept-401",
] as const satisfies Option[];

/** The options that each command takes, beside `--help`. */
export const commands = {
  logout: ending,
  revoke: ending,
  probe: ["json", "region", "timeout"],
  sandbox: ["port"],
} as const satisfies Record<string, readonly Option[]>;

export type Command = keyof typeof commands;

/** Makes sense with `--stdin` only. */
const ofLists: readonly Option[] = ["concurrency", "journal", "accept-401"];

export type Flags = ReturnType<typeof parse>["values"];

export interface Invocation {
  /** Missing for `--help` and `--version` alone. */
  command?: Command;
  flags: Flags;
}

const parse = (args: string[]) => parseArgs({ args, options, allowPositionals: true });

const isCommand = (word: unknown): word is Command => typeof word === "string" && word in commands;
const isOption = (name: string): name is Option => name in options;

const NO_SECRETS = "Secrets are read from the environment or from standard input, never from arguments.";

/** @throws UsageError */
export function invocationOf(args: string[]): Invocation {
  const { tokens } = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true });
  const names: string[] = [];
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    if (!isOption(token.name)) throw new UsageError(`${unknown(token.rawName)} ${NO_SECRETS}`);
    const takesText = options[token.name].type === "string";
    if (takesText && !token.value) throw new UsageError(`--${token.name} needs a value.`);
    if (!takesText && token.value !== undefined) throw new UsageError(`--${token.name} takes no value.`);
    names.push(token.name);
  }
  const { values: flags, positionals } = parsed(args);
  const [command, ...more] = positionals;
  if (command === undefined && (flags.help || flags.version)) return { flags };
  if (command === undefined) throw new UsageError("There is no command.");
  if (!isCommand(command)) throw new UsageError(`The command is not known. ${NO_SECRETS}`);
  if (more.length > 0) throw new UsageError(`${command} takes no further argument. ${NO_SECRETS}`);

  const allowed: readonly string[] = [...commands[command], "help"];
  for (const name of names)
    if (!allowed.includes(name)) throw new UsageError(`--${name} is no option of ${command}.`);
  const stray = ofLists.find((name) => names.includes(name));
  if (stray && !flags.stdin) throw new UsageError(`--${stray} is for lists: it needs --stdin.`);
  return { command, flags };
}

function parsed(args: string[]) {
  try {
    return parse(args);
  } catch {
    // Its message may quote the argument.
    throw new UsageError("The value of an option begins with a dash: write --option=value.");
  }
}

/** A name is said only when it looks like one that somebody has mistyped. */
function unknown(rawName: string): string {
  const isName = rawName.length <= 20 && /^--[a-z]+(-[a-z]+)*$/.test(rawName);
  return isName ? `${rawName} is no option.` : "There is an option that is not known.";
}

/** A whole number from 1 to `most`, or the default when the option is not there. @throws UsageError */
export function countOf(option: Option, text: string | undefined, most: number, otherwise: number): number {
  if (text === undefined) return otherwise;
  const count = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > most) throw new UsageError(`--${option} must be a whole number, 1 to ${most}.`);
  return count;
}
