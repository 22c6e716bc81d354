/**
 * `npm run codegen`: generates the TypeScript types of a specification, or checks that they are up to date.
 * The generation is openapi-typescript's; this decides on files, messages and exit codes.
 */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { firstLine } from "./message.ts";

const help = `Usage: npm run codegen -- [specification.yaml] [--output file.ts] [--check]

Generates the TypeScript types of an OpenAPI 3.x specification (a YAML or JSON file).

  specification    default openapi/baanx-auth.openapi.yaml of this package
  --output <file>  default src/generated/schema.ts for this package's own specification;
                   for any other, <name>.schema.ts beside it: pets.openapi.yaml or
                   pets.yaml gives pets.schema.ts
  --check          writes nothing; fails when the file is missing or out of date
  --help           shows this text

Exit codes: 0 done, 1 no valid specification, not writable or (--check) out of date, 2 wrong usage.
`;

/** A failure that a person can do something about: one line, and the exit code that goes with it. */
class Failure extends Error {
  readonly exitCode: number;

  constructor(line: string, exitCode = 1) {
    super(line);
    this.exitCode = exitCode;
  }
}

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const ownSpecification = join(root, "openapi", "baanx-auth.openapi.yaml");
const ownOutput = join(root, "src", "generated", "schema.ts");

process.env["REDOCLY_TELEMETRY"] = "off";

try {
  process.stdout.write(await main());
} catch (error) {
  process.stderr.write(`codegen: ${firstLine(error)}\n`);
  process.exitCode = error instanceof Failure ? error.exitCode : 1;
}

async function main(): Promise<string> {
  const { specification, output, check, showHelp } = readArguments();
  if (showHelp) return help;
  if (output === specification) throw new Failure("--output is the specification itself.", 2);
  await assertReadable(specification);

  const committed = check ? await readFile(output, "utf8").catch(() => undefined) : undefined;
  // npm runs scripts in the package, wherever it is called.
  const mend = `run \`${command(root, specification, output)}\`.`;
  if (check && committed === undefined) throw new Failure(`${shown(output)} is missing: ${mend}`);

  const generated = header(specification, output) + (await generate(specification));
  if (!check) {
    await replaceFile(output, generated);
    return `${shown(output)} generated from ${shown(specification)}.\n`;
  }
  if (committed === generated) return `${shown(output)} is up to date with ${shown(specification)}.\n`;
  throw new Failure(`${shown(output)} is out of date with ${shown(specification)}: ${mend}`);
}

function readArguments() {
  const parse = () =>
    parseArgs({
      allowPositionals: true,
      options: { output: { type: "string" }, check: { type: "boolean" }, help: { type: "boolean" } },
    });
  try {
    const { values, positionals } = parse();
    if (positionals.length > 1) throw new Error("There is more than one specification");
    const specification = resolve(positionals[0] ?? ownSpecification);
    return {
      specification,
      output: values.output === undefined ? defaultOutput(specification) : resolve(values.output),
      check: values.check === true,
      showHelp: values.help === true,
    };
  } catch (error) {
    throw new Failure(`${firstLine(error).split(". ", 1)[0]}. See --help.`, 2);
  }
}

function defaultOutput(specification: string): string {
  if (specification === ownSpecification) return ownOutput;
  const name = basename(specification)
    .replace(/\.(ya?ml|json)$/i, "")
    .replace(/\.openapi$/i, "");
  return join(dirname(specification), `${name}.schema.ts`);
}

async function assertReadable(specification: string): Promise<void> {
  try {
    await readFile(specification);
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw new Failure(`${shown(specification)} ${missing ? "does not exist" : "cannot be read"}.`);
  }
}

async function generate(specification: string): Promise<string> {
  // It brings the compiler along, so it is loaded only once it is needed.
  const { default: openapiTS, astToString } = await import("openapi-typescript");
  const unmute = muteConsole();
  try {
    const types = astToString(await openapiTS(pathToFileURL(specification), { silent: true }));
    // A file without any of the three is no description of an API, and openapi-typescript lets it pass.
    if (!/^export interface (paths|webhooks) |^ {4}\w+: \{$/m.test(types)) {
      throw new Error("it describes no paths, webhooks or components");
    }
    return types;
  } catch (error) {
    // Its own type and range errors come from reading what is no specification at all.
    const strange = error instanceof TypeError || error instanceof RangeError;
    const reason = strange ? "its content cannot be understood" : firstLine(error).replace(/\.$/, "");
    throw new Failure(`${shown(specification)} is not a valid OpenAPI 3.x specification: ${reason}.`);
  } finally {
    unmute();
  }
}

/** openapi-typescript prints problems that it also throws; a failure is one line here. */
function muteConsole(): () => void {
  const { error, warn, debug } = console;
  Object.assign(console, { error: () => {}, warn: () => {}, debug: () => {} });
  return () => void Object.assign(console, { error, warn, debug });
}

/** A reader sees either the old file or the whole new one, whatever happens on the way. */
async function replaceFile(file: string, content: string): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.${process.pid}.tmp`);
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(temporary, content);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    const code = error instanceof Error && "code" in error ? ` (${error.code})` : "";
    throw new Failure(`${shown(file)} cannot be written${code}.`);
  }
}

/** The same bytes from whatever folder it is run: every path starts at the package or beside the output. */
function header(specification: string, output: string): string {
  const inPackage = isInPackage(specification) && isInPackage(output);
  const base = inPackage ? root : dirname(output);
  return `/**
 * Generated by openapi-typescript from ${portable(relative(base, specification))}${inPackage ? "" : " (paths as seen from here)"}.
 * Do not edit: change the specification, then run \`${command(base, specification, output)}\`.
 */

`;
}

/** The shortest command that makes this output of this specification, with paths as seen from `base`. */
function command(base: string, specification: string, output: string): string {
  const from = specification === ownSpecification ? "" : ` ${portable(relative(base, specification))}`;
  const to = output === defaultOutput(specification) ? "" : ` --output ${portable(relative(base, output))}`;
  return `npm run codegen${from || to ? " --" : ""}${from}${to}`;
}

function isInPackage(file: string): boolean {
  return file.startsWith(root + sep);
}

function shown(file: string): string {
  return portable(relative(process.cwd(), file));
}

function portable(path: string): string {
  return path.split(sep).join("/");
}
