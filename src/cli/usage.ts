/**
 * The usage of the command line: commands and options as data, and the parsing of arguments. Errors quote no argument
 * that can be a secret. The texts of `--help` are `help.ts`.
 */
import { parseArgs } from "node:util";

/** Wrong usage or configuration: exit code 2. Its message quotes no value. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Is shown with the usage. */
export class NoCommand extends UsageError {
  constructor() {
    super("The command is missing.");
  }
}

const flag = { type: "boolean", default: false } as const;
const value = { type: "string" } as const;

/** As `parseArgs` takes them, with the name and the text for `--help`. */
export const options = {
  region: {
    ...value,
    name: "--region <name>",
    text: "international or us; default BAANX_REGION, or international",
  },
  timeout: {
    ...value,
    name: "--timeout <ms>",
    text: "for one ending, further attempts included; of a list, for one\nrequest; default 5000, at most 60000",
  },
  verify: {
    ...flag,
    name: "--verify",
    text: "afterwards the token must be refused by GET /v1/user, or else the\nending is unconfirmed",
  },
  json: { ...flag, name: "--json", text: "prints results as JSON, one object a line" },
  quiet: { ...flag, name: "--quiet", text: "prints results and errors only" },
  stdin: { ...flag, name: "--stdin", text: "reads a list from standard input" },
  concurrency: { ...value, name: "--concurrency <n>", text: "requests at once, 1 to 256; default 8" },
  journal: {
    ...value,
    name: "--journal <file>",
    text: "records the ended tokens, and skips those of earlier runs",
  },
  "accept-401": {
    ...flag,
    name: "--accept-401",
    text: "counts each 401 as ended: for tokens that are known to belong to\nthis environment and region",
  },
  "dry-run": { ...flag, name: "--dry-run", text: "checks and counts a list, and sends nothing" },
  port: { ...value, name: "--port <number>", text: "the port, 0 to 65535; default 0: any free port" },
  host: {
    ...value,
    name: "--host <address>",
    text: "the address to listen on; default 127.0.0.1. 0.0.0.0 lets other\nmachines and phones in",
  },
  fault: {
    ...value,
    multiple: true,
    name: "--fault <fault>",
    text: "an answer that fails, such as path=/v1/auth/logout,status=503,times=2;\nmay be given several times",
  },
  tokens: {
    ...value,
    name: "--tokens <n>",
    text: "prints a list of so many living tokens, as logout --stdin reads it",
  },
  output: { ...value, name: "--output <file>", text: "the file of the types" },
  check: {
    ...flag,
    name: "--check",
    text: "writes nothing; fails when the file is missing or out of date. A file\nmade by openapi-typescript itself is up to date, too",
  },
  strict: { ...flag, name: "--strict", text: "fails when the generator warns" },
  "provider-url": {
    ...value,
    name: "--provider-url <url>",
    text: "the test build, such as http://127.0.0.1:8080",
  },
  "state-url": {
    ...value,
    name: "--state-url <url>",
    text: "its state endpoint, such as\nhttp://127.0.0.1:8080/_pact/state",
  },
  pact: { ...value, name: "--pact <file>", text: "another contract; default baanx-session/pact.json" },
  help: { ...flag, short: "h", name: "-h, --help", text: "shows this text" },
  version: { ...flag, short: "V", name: "-V, --version", text: "prints the version" },
} as const;

export type Option = keyof typeof options;

/** These make sense with `--stdin` only. */
const ofLists: readonly Option[] = ["concurrency", "journal", "dry-run"];
const ofProbe = ["region", "timeout", "json", "quiet"] as const satisfies Option[];
const ofEnding = [...ofProbe, "verify", "accept-401", "stdin", "concurrency", "journal", "dry-run"] as const;

/** The options of each command, beside `--help`. */
export const commands = {
  logout: ofEnding,
  revoke: ofEnding,
  probe: ofProbe,
  sandbox: ["port", "host", "fault", "tokens", "quiet"],
  codegen: ["output", "check", "strict"],
  verify: ["provider-url", "state-url", "pact"],
  completion: [],
} as const satisfies Record<string, readonly Option[]>;

export type Command = keyof typeof commands;

/** The commands that take one argument. */
const takesArgument: readonly Command[] = ["codegen", "completion"];

export type Flags = ReturnType<typeof parse>["values"];

export interface Invocation {
  /** Missing for `--help` and `--version` alone. */
  command?: Command;
  /** The specification of `codegen`, or the shell of `completion`. */
  argument?: string;
  /** The options of the generator that `codegen` may be given after `--`. */
  generatorOptions: string[];
  flags: Flags;
  /** All arguments. */
  args: string[];
}

const parse = (args: string[]) => parseArgs({ args, options, allowPositionals: true });

const isCommand = (word: string): word is Command => Object.hasOwn(commands, word);
const isOption = (name: string): name is Option => Object.hasOwn(options, name);

/** @throws UsageError */
export function invocationOf(args: string[]): Invocation {
  const [first = "", ...rest] = args;
  // `help logout` is `logout --help`.
  if (first === "help" || first === "version") return invocationOf([...rest, `--${first}`]);
  const end = first === "codegen" ? args.indexOf("--") : -1;
  if (end >= 0) return { ...invocationOf(args.slice(0, end)), generatorOptions: args.slice(end + 1), args };

  const { tokens } = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true });
  const [command, argument, ...surplus] = tokens.flatMap((token) =>
    token.kind === "positional" ? [token.value] : [],
  );
  if (command !== undefined && !isCommand(command))
    throw new UsageError(
      `Unknown command${mistyped(command)}. The commands are ${Object.keys(commands).join(", ")}. ${NO_SECRETS}`,
    );
  const known: readonly Option[] = command ? [...commands[command], "help"] : ["help", "version"];
  // A token may have been pasted.
  const advice = command && !known.includes("region") ? "" : ` ${NO_SECRETS}`;
  const given = tokens.flatMap((token) => (token.kind === "option" ? [token] : []));
  for (const { name, rawName, value: text } of given) {
    if (!isOption(name) || !known.includes(name))
      throw new UsageError(
        `${command ?? "baanx-session"} does not accept${mistyped(rawName) || " this option"}. It accepts ${known.map((one) => `--${one}`).join(", ")}.${advice}`,
      );
    if (options[name].type === "string" && !text) throw new UsageError(`--${name} needs a value.`);
    if (options[name].type === "boolean" && text !== undefined)
      throw new UsageError(`--${name} takes no value.`);
  }
  const { flags } = parsed(args);
  if (command === undefined) {
    if (flags.help || flags.version) return { flags, generatorOptions: [], args };
    throw new NoCommand();
  }
  if (surplus.length > 0 || (argument !== undefined && !takesArgument.includes(command)))
    throw new UsageError(`${command} takes no further argument.${advice}`);
  const stray = ofLists.find((name) => given.some((option) => option.name === name));
  if (stray && !flags.stdin) throw new UsageError(`--${stray} is for lists: it needs --stdin.`);
  return { command, ...(argument !== undefined && { argument }), flags, generatorOptions: [], args };
}

function parsed(args: string[]): { flags: Flags } {
  try {
    return { flags: parse(args).values };
  } catch {
    // Its message may quote the argument.
    throw new UsageError("The value of an option begins with a dash: write --option=value.");
  }
}

/** Quotes an argument only if it looks like a mistyped word: a secret has digits, capitals or more letters. */
const mistyped = (word: string): string => (/^(--?)?[a-z]{1,10}(-[a-z]{1,8})?$/.test(word) ? ` ${word}` : "");

const NO_SECRETS = "Secrets are read from the environment or from standard input, never from arguments.";

/** A whole number from 1 to `most`. @throws UsageError */
export function countOf(option: Option, text: string, most: number): number {
  const count = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > most) throw new UsageError(`--${option} must be a whole number, 1 to ${most}.`);
  return count;
}
