/**
 * The command `codegen`: generates the TypeScript types of a specification, or checks that they are up to date.
 * The generation is openapi-typescript's, as the caller has installed it; this decides on files, messages and exit codes.
 */
import { chmod, mkdir, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { codeOf, escaped, type Io, shellQuoted } from "./output.ts";
import { UsageError } from "./usage.ts";

/** The request of a caller, with paths as seen from the working folder. */
export interface CodegenRequest {
  /** A file, an address, or `-` for standard input. Without it, the package's own. */
  specification?: string | undefined;
  output?: string | undefined;
  check: boolean;
  /** A warning of the generator fails the run. */
  strict?: boolean;
  /** As openapi-typescript's own command takes them, such as `--immutable`. */
  generatorOptions?: readonly string[];
  ownSpecification: string;
  /** The command that does just this, if it is not `baanx-session codegen` with these files. */
  script?: string;
}

/** How users of the package name its own specification. */
const OWN_NAME = "baanx-session/openapi.yaml";

const MOST_BYTES = 20_000_000;
const TIMEOUT_MS = 30_000;

/** A failure that a person can do something about, in one line. */
class Failure extends Error {
  readonly exitCode: number;

  constructor(line: string, exitCode = 1) {
    super(line);
    this.exitCode = exitCode;
  }
}

type Streams = Pick<Io, "stdin" | "stdout" | "stderr">;

/** @returns the exit code. @throws UsageError */
export async function runCodegen(request: CodegenRequest, io: Streams = process): Promise<number> {
  const { specification = request.ownSpecification, output } = request;
  if (output === undefined) throw new UsageError("codegen needs --output, the file of the types.");
  if (resolve(output) === resolve(specification))
    throw new UsageError("--output is the specification itself.");
  try {
    const said = await codegen(specification, resolve(output), request, io);
    io.stdout.write(`${escaped(said)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    io.stderr.write(`codegen: ${escaped(error.message)}\n`);
    return error.exitCode;
  }
}

/** Resolves to the line that reports the result. */
async function codegen(
  specification: string,
  output: string,
  request: CodegenRequest,
  { stdin, stderr }: Streams,
): Promise<string> {
  const { check, strict = false, ownSpecification, script, generatorOptions = [] } = request;
  const isOwn = script === undefined && resolve(specification) === ownSpecification;
  const isFile = specification !== "-" && !/^https?:/.test(specification);
  const name = isOwn ? OWN_NAME : isFile ? shown(resolve(specification)) : nameOf(specification);
  const source = isFile
    ? await fileAt(resolve(specification), name)
    : await readSource(specification, name, stdin);
  const from = (base: string) => (isFile ? portable(relative(base, resolve(specification))) : specification);
  const command = (base: string) => {
    const options = generatorOptions.length > 0 ? ["--", ...generatorOptions] : [];
    const words = [...(isOwn ? [] : [from(base)]), "--output", portable(relative(base, output)), ...options];
    return script ?? `npx --no -- baanx-session codegen ${words.map(shellQuoted).join(" ")}`;
  };
  const fix = `run \`${command(process.cwd())}\`.`;

  const committed = check ? await readFile(output, "utf8").catch(() => undefined) : undefined;
  if (check && committed === undefined) throw new Failure(`${shown(output)} is missing: ${fix}`);
  const { types, warnings } = await generate(source, name, generatorOptions);
  for (const warning of warnings) stderr.write(`codegen: warning: ${escaped(warning)}\n`);
  if (strict && warnings.length > 0)
    throw new Failure(`${name} has ${warnings.length} warnings, and --strict allows none.`);
  if (committed === undefined) {
    // The same bytes from whatever folder it is run.
    const base = await projectOf(output);
    const origin = isOwn ? OWN_NAME : isFile ? from(base) : name;
    await replaceFile(output, header(origin, command(base)) + types);
    return `${shown(output)} generated from ${name}.`;
  }
  const difference = firstDifference(committed, types);
  if (difference === undefined) return `${shown(output)} is up to date with ${name}.`;
  throw new Failure(`${shown(output)} is out of date with ${name}, ${difference}: ${fix}`);
}

const nameOf = (specification: string): string => {
  if (specification === "-") return "standard input";
  // An address may hold credentials.
  const { origin, pathname } = new URL(specification);
  return origin + pathname;
};

/** The text of an address or of standard input, bounded; the address itself if the text refers to other files. */
async function readSource(specification: string, name: string, stdin: Io["stdin"]): Promise<string | URL> {
  if (specification === "-") return bounded(stdin, name);
  const url = new URL(specification);
  const isLoopback = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  if (url.protocol !== "https:" && !isLoopback)
    throw new UsageError("codegen reads https, or http on loopback.");
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => undefined);
  if (!response?.ok || !response.body)
    throw new Failure(
      `${name} cannot be read: ${response ? `it answered ${response.status}` : "it did not answer"}.`,
    );
  // In Node it is one, and the DOM's types leave that out.
  const text = await bounded(response.body as unknown as AsyncIterable<Uint8Array>, name);
  return /\$ref["']?\s*:\s*["']?[^"'#\s]/.test(text) ? url : text;
}

async function bounded(chunks: AsyncIterable<Uint8Array>, name: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of chunks) {
    length += part.length;
    if (length > MOST_BYTES) throw new Failure(`${name} has more than ${MOST_BYTES / 1_000_000} MB.`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

const header = (specification: string, command: string): string => `/**
 * Generated by openapi-typescript from ${specification}.
 * Do not edit: change the specification, then run \`${command}\`.
 */

`;

/**
 * The first line that differs, apart from the first comment: a file that openapi-typescript's own command has made has
 * another one. Git may have changed the ends of lines.
 */
function firstDifference(committed: string, types: string): string | undefined {
  const [old, now] = [committed, types].map((text) => text.replaceAll("\r\n", "\n"));
  const comment = /^(\s*(\/\*.*?\*\/|\/\/.*?\n))*\s*/s;
  const [lead = ""] = comment.exec(old ?? "") ?? [];
  const [left, right] = [old?.slice(lead.length).split("\n"), now?.replace(comment, "").split("\n")];
  if (!left || !right) return undefined;
  const index = Array.from({ length: Math.max(left.length, right.length) }).findIndex(
    (_, at) => left[at] !== right[at],
  );
  if (index < 0) return undefined;
  const quote = (line: string | undefined) =>
    line === undefined ? "the end of the file" : `"${line.trim().slice(0, 80)}"`;
  const line = lead.split("\n").length + index;
  return `first in line ${line} (${quote(left[index])} instead of ${quote(right[index])})`;
}

async function fileAt(specification: string, name: string): Promise<URL> {
  try {
    await readFile(specification);
    return pathToFileURL(specification);
  } catch (error) {
    throw new Failure(`${name} ${codeOf(error) === "ENOENT" ? "does not exist" : "cannot be read"}.`);
  }
}

type Generator = typeof import("openapi-typescript");
type Redocly = NonNullable<NonNullable<Parameters<Generator["default"]>[1]>["redocly"]>;

interface Installed {
  generator: Generator;
  /** Loads the dependencies of the generator: its Redocly, its TypeScript, its command. */
  load: NodeJS.Require;
}

/** The generator of the project in the working folder, or of the folder `tools` in it. Its version decides on the types. */
function loadGenerator(): Installed {
  // It has its own Redocly, which would report on its use.
  process.env["REDOCLY_TELEMETRY"] = "off";
  for (const folder of [".", "tools"])
    try {
      const from = createRequire(join(process.cwd(), folder, "package.json"));
      const load = createRequire(from.resolve("openapi-typescript"));
      const generator: Partial<Generator> = from("openapi-typescript");
      // Before version 7 it had no such function.
      if (generator.astToString) return { generator: generator as Generator, load };
    } catch {
      // It is missing, or TypeScript is, or it does not work with that TypeScript.
    }
  const what = "openapi-typescript@7 typescript@5";
  if (majorOfTypeScript() >= 7)
    throw new Failure(
      `openapi-typescript 7 does not work with TypeScript 7: install both in a folder of their own, \`npm install --prefix tools ${what}\`, where codegen finds them.`,
      2,
    );
  throw new Failure(
    `openapi-typescript 7 with TypeScript 5 is missing: run \`npm install --save-dev ${what}\`.`,
    2,
  );
}

function majorOfTypeScript(): number {
  try {
    const { version } = createRequire(join(process.cwd(), "package.json"))("typescript/package.json");
    return Number.parseInt(version, 10);
  } catch {
    return 0;
  }
}

async function generate(
  source: string | URL,
  name: string,
  generatorOptions: readonly string[],
): Promise<{ types: string; warnings: string[] }> {
  // It brings the compiler along, so it is loaded only once it is needed.
  const installed = loadGenerator();
  const { default: openapiTS, astToString } = installed.generator;
  const options = await optionsOf(generatorOptions, installed.load);
  const { warnings, unmute } = captureConsole();
  try {
    const redocly = await redoclyConfig(installed.load);
    const types = astToString(await openapiTS(source, { ...options, redocly }));
    // A file without any of the three does not describe an API, and openapi-typescript lets it pass.
    if (!/^export (interface|type) (paths|webhooks) (= )?\{|^ {4}(readonly )?\w+: \{$/m.test(types)) {
      throw new Error("it describes no paths, webhooks or components");
    }
    return { types, warnings: [...warnings, ...compilerProblems(types, installed.load)] };
  } catch (error) {
    // Its own type and range errors come from reading something other than a specification.
    const isForeign = error instanceof TypeError || error instanceof RangeError;
    const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n", 1);
    const reason = isForeign ? "its content cannot be understood" : line.replace(/\.$/, "");
    throw new Failure(`${name} is not a valid OpenAPI 3.x specification: ${reason}.`);
  } finally {
    unmute();
  }
}

/** `--root-types` becomes `rootTypes: true`, once the generator's own command knows it. */
async function optionsOf(words: readonly string[], load: NodeJS.Require): Promise<Record<string, boolean>> {
  if (words.length === 0) return {};
  const command = await readFile(
    join(dirname(load.resolve("openapi-typescript/package.json")), "bin", "cli.js"),
    "utf8",
  );
  const entries = words.map((word) => {
    const [, name = "", value = "true"] = /^--([a-z-]+)(?:=(true|false))?$/.exec(word) ?? [];
    if (
      !name ||
      !new RegExp(` --${name}[ ,]`).test(command) ||
      /^(help|version|redocly|output|check)$/.test(name)
    )
      throw new UsageError(
        "After -- come options of openapi-typescript that are on or off, such as --immutable.",
      );
    return [name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase()), value === "true"];
  });
  return Object.fromEntries(entries);
}

/** Returns the rules of openapi-typescript's own command: redocly.yaml, or else that the document is valid. */
async function redoclyConfig(load: NodeJS.Require): Promise<Redocly> {
  const { findConfig, loadConfig, createConfig } = load("@redocly/openapi-core");
  const configPath = findConfig(process.cwd());
  return configPath ? loadConfig({ configPath }) : createConfig({}, { extends: ["minimal"] });
}

/** Returns the compiler's problems with generated types, which the generator does not check. */
function compilerProblems(types: string, load: NodeJS.Require): string[] {
  const ts: typeof import("typescript") = load("typescript");
  const options = { strict: true, noEmit: true, types: [], skipLibCheck: true, lib: ["lib.es2020.d.ts"] };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile;
  host.getSourceFile = (file, language, ...more) =>
    file === "types.ts" ? ts.createSourceFile(file, types, language) : read(file, language, ...more);
  const program = ts.createProgram(["types.ts"], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => {
    const [line = ""] = ts.flattenDiagnosticMessageText(messageText, "\n").split("\n", 1);
    return `the types do not compile: ${line}`;
  });
}

/** openapi-typescript prints its warnings, and problems that it also throws; a failure is one line here. */
function captureConsole(): { warnings: string[]; unmute(): void } {
  const { error, warn, debug } = console;
  const warnings: string[] = [];
  const record = (...words: unknown[]) => {
    const [line = ""] = stripVTControlCharacters(words.join(" "))
      .replace(/^[\s\u26a0]+/, "")
      .split("\n", 1);
    if (line !== "") warnings.push(line);
  };
  Object.assign(console, { error: () => {}, warn: record, debug: () => {} });
  return { warnings, unmute: () => void Object.assign(console, { error, warn, debug }) };
}

/** A reader sees either the old file or the whole new one, whatever happens on the way. */
async function replaceFile(file: string, content: string): Promise<void> {
  // A symlink stays one: the file that it leads to is replaced.
  const target = await realpath(file).catch(() => file);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    await mkdir(dirname(target), { recursive: true });
    const old = await stat(target).catch(() => undefined);
    await writeFile(temporary, content);
    if (old) await chmod(temporary, old.mode);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw new Failure(`${shown(file)} cannot be written (${codeOf(error)}).`);
  }
}

/** The folder of the nearest package.json, where its commands are run; or else the folder of the file. */
async function projectOf(file: string): Promise<string> {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const isProject = await readFile(join(folder, "package.json")).then(
      () => true,
      () => false,
    );
    if (isProject) return folder;
    if (folder === dirname(folder)) return dirname(file);
  }
}

function shown(file: string): string {
  return portable(relative(process.cwd(), file));
}

function portable(path: string): string {
  return path.split(sep).join("/");
}
