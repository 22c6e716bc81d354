/**
 * What the command line understands: commands and options as data, and the reading of arguments. It quotes no
 * argument in any case, since a secret may have been pasted as one. The words of `--help` are `help.ts`.
 */
import { parseArgs } from "node:util";
import { guess } from "./guess.ts";

/** Wrong usage or configuration: exit code 2. Its message quotes no value. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Nothing was asked for: whoever sees the usage then knows what can be. */
export class NoCommand extends UsageError {
  constructor() {
    super("There is no command.");
  }
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
  "dry-run": { type: "boolean", default: false },
  port: { type: "string" },
  output: { type: "string" },
  check: { type: "boolean", default: false },
  strict: { type: "boolean", default: false },
  pact: { type: "string" },
  "provider-url": { type: "string" },
  "state-url": { type: "string" },
  help: { type: "boolean", short: "h", default: false },
  version: { type: "boolean", short: "V", default: false },
} as const;

export type Option = keyof typeof options;

const ending = [
  "json",
  "region",
  "timeout",
  "verify",
  "accept-401",
  "stdin",
  "concurrency",
  "journal",
  "dry-run",
] as const satisfies Option[];

/** The options that each command takes, beside `--help`. */
export const commands = {
  logout: ending,
  revoke: ending,
  probe: ["json", "region", "timeout"],
  sandbox: ["port"],
  codegen: ["output", "check", "strict"],
  verify: ["provider-url", "state-url", "pact"],
} as const satisfies Record<string, readonly Option[]>;

export type Command = keyof typeof commands;

/** Makes sense with `--stdin` only. */
const ofLists: readonly Option[] = ["concurrency", "journal", "dry-run"];

export type Flags = ReturnType<typeof parse>["values"];

export interface Invocation {
  /** Missing for `--help` and `--version` alone. */
  command?: Command;
  /** The one specification that `codegen` may be given. */
  file?: string;
  /** The options of the generator that `codegen` may be given after `--`. */
  generatorOptions: string[];
  flags: Flags;
}

const parse = (args: string[]) => parseArgs({ args, options, allowPositionals: true });

const isCommand = (word: unknown): word is Command => typeof word === "string" && word in commands;
const isOption = (name: string): name is Option => name in options;

/** `help logout` and `version` say the same as options do. */
const words: Record<string, Option> = { help: "help", version: "version" };

/** @throws UsageError */
export function invocationOf(args: string[]): Invocation {
  const [first = "", ...rest] = args;
  const option = Object.hasOwn(words, first) ? words[first] : undefined;
  if (option) return invocationOf([...rest, `--${option}`]);
  const end = first === "codegen" ? args.indexOf("--") : -1;
  return end < 0 ? checked(args, []) : checked(args.slice(0, end), args.slice(end + 1));
}

function checked(args: string[], generatorOptions: string[]): Invocation {
  const { tokens } = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true });
  const [command] = tokens.flatMap((token) => (token.kind === "positional" ? [token.value] : []));
  const known: readonly string[] = isCommand(command) ? [...commands[command], "help"] : Object.keys(options);
  const names: string[] = [];
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    if (!isOption(token.name))
      throw new UsageError(unknown("option", token.rawName, known, args[token.index]));
    const takesText = options[token.name].type === "string";
    if (takesText && !token.value) throw new UsageError(`--${token.name} needs a value.`);
    if (!takesText && token.value !== undefined) throw new UsageError(`--${token.name} takes no value.`);
    names.push(token.name);
  }
  const { values: flags, positionals } = parsed(args);
  const more = positionals.slice(1);
  if (command === undefined && (flags.help || flags.version)) return { flags, generatorOptions };
  if (command === undefined) throw new NoCommand();
  if (!isCommand(command))
    throw new UsageError(unknown("command", command, [...Object.keys(commands), ...Object.keys(words)]));
  const [file] = command === "codegen" ? more.splice(0, 1) : [];
  const [surplus] = more;
  if (surplus !== undefined)
    throw new UsageError(`${command} takes no further argument.${isSecret(surplus) ? ` ${NO_SECRETS}` : ""}`);

  for (const name of names)
    if (!known.includes(name)) throw new UsageError(`--${name} is no option of ${command}.`);
  const stray = ofLists.find((name) => names.includes(name));
  if (stray && !flags.stdin) throw new UsageError(`--${stray} is for lists: it needs --stdin.`);
  return { command, ...(file !== undefined && { file }), flags, generatorOptions };
}

function parsed(args: string[]) {
  try {
    return parse(args);
  } catch {
    // Its message may quote the argument.
    throw new UsageError("The value of an option begins with a dash: write --option=value.");
  }
}

/**
 * A word is said only when it looks like one that somebody has mistyped.
 *
 * @param argument - the whole of what the word is from
 */
function unknown(
  kind: "command" | "option",
  word: string,
  known: readonly string[],
  argument = word,
): string {
  const name = word.replace(/^--?/, "");
  // What follows the one letter of a short option belongs to it.
  const whole = word.startsWith("--") ? name : argument;
  const isWord = /^[a-z]{1,12}(-[a-z0-9]{1,12}){0,2}$/i.test(name) && !isSecret(whole);
  const meant = isWord ? guess(name, known) : undefined;
  const dashes = kind === "option" ? "--" : "";
  return [
    isWord ? `There is no ${kind} ${word}.` : `There is ${articles[kind]} ${kind} that is not known.`,
    ...(meant ? [`Did you mean ${dashes}${meant}?`] : []),
    ...(isSecret(argument) || namesSecret.test(name) ? [NO_SECRETS] : []),
  ].join(" ");
}

const NO_SECRETS = "Secrets are read from the environment or from standard input, never from arguments.";

const articles = { command: "a", option: "an" };

/** What takes a secret elsewhere. */
const namesSecret = /token|key|secret|password/i;

/** As tokens and keys are: long and without spaces, with digits or capitals in it. */
const isSecret = (text: string): boolean => /^(?=.*[\dA-Z])[\x21-\x7e]{12,}$/.test(text);

/** A whole number from 1 to `most`. @throws UsageError */
export function countOf(option: Option, text: string, most: number): number {
  const count = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > most) throw new UsageError(`--${option} must be a whole number, 1 to ${most}.`);
  return count;
}
