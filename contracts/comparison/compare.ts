/**
 * Finds contradictions between two descriptions of one API. Documents are compared as generated types: the compiler
 * checks that our requests fit theirs and that their answers fit ours. A contract is compared by
 * openapi-pact-comparator, which checks credentials as well.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Comparator } from "@pactflow/openapi-pact-comparator";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";
import { parse } from "yaml";
import { type Fields, fieldsOf, listOf } from "../../src/cli/pact-replay.ts";
import { UsageError } from "../command.ts";
import type { PactFile } from "../pact-file.ts";
import { isPrivate } from "../target.ts";

export interface Comparison {
  /** One line each. */
  contradictions: string[];
  /** Parts that only our document describes. They may be true. */
  oursAlone: string[];
}

/** @param source - a file, or an address: https, or http on this machine */
export async function readDocument(source: string): Promise<Fields> {
  const isAddress = /^https?:/.test(source);
  const text = isAddress
    ? await textAt(source)
    : await readFile(source, "utf8").catch(() => {
        throw new UsageError(`${source} cannot be read.`);
      });
  return documentOf(text, source);
}

async function textAt(address: string): Promise<string> {
  if (!isPrivate(new URL(address)))
    throw new UsageError("The address of a document must begin with https://, or with http:// on loopback.");
  const response = await fetch(address, { signal: AbortSignal.timeout(30_000) }).catch(() => undefined);
  if (response?.ok) return response.text();
  const answer = response ? `the answer is ${response.status}` : "the server did not answer";
  throw new UsageError(`The document cannot be fetched: ${answer}.`);
}

/** Parses a document and adds the path of its server to its paths. */
export function documentOf(text: string, source: string): Fields {
  let fields: Fields = {};
  try {
    fields = fieldsOf(parse(text));
  } catch {
    throw new UsageError(`${source} is neither YAML nor JSON.`);
  }
  if (!/^3\./.test(String(fields["openapi"])))
    throw new UsageError(`${source} is not an OpenAPI 3.x document.`);
  if (/"\$ref":"[^#]/.test(JSON.stringify(fields)))
    throw new UsageError(`${source} is in several files: \`npx redocly bundle\` makes one of them.`);
  const { url = "/" } = fieldsOf(listOf(fields["servers"])[0]);
  const prefix = new URL(String(url).replaceAll(/\{[^}]*\}/g, "x"), "https://x").pathname.replace(/\/+$/, "");
  const paths = Object.entries(fieldsOf(fields["paths"])).map(([path, item]) => [prefix + path, item]);
  return withoutForm({ ...fields, servers: [], paths: Object.fromEntries(paths) });
}

/** Normalises a description: one name for JSON, headers in lower case, no headers of answers. */
function withoutForm(document: Fields): Fields {
  return JSON.parse(JSON.stringify(document), (key, value: unknown) => {
    const { in: place, name } = fieldsOf(value);
    if (key === "headers") return undefined;
    if (place === "header") return { ...fieldsOf(value), name: String(name).toLowerCase() };
    if (key !== "content") return value;
    const isJson = (type: string) => /^(application\/([\w.-]+\+)?json|\*\/\*)/i.test(type);
    const entries = Object.entries(fieldsOf(value));
    return Object.fromEntries(entries.map(([type, one]) => [isJson(type) ? "application/json" : type, one]));
  });
}

/** @param name - names the first document in messages */
export async function compareDocuments(ours: Fields, theirs: Fields, name = "ours"): Promise<Comparison> {
  const found: Comparison = { contradictions: [], oursAlone: [] };
  const checks: { title: string; code: string }[] = [];
  for (const [path, method, responses] of operationsOf(ours)) {
    const title = `${method.toUpperCase()} ${path}`;
    const other = operationsOf(theirs).find((one) => one[0] === path && one[1] === method);
    if (!other) {
      found.contradictions.push(`${title}: the operation is missing`);
      continue;
    }
    const at = (side: string, ...keys: string[]) =>
      [side, path, method, ...keys].reduce((type, key) => `${type}[${keyOf(key)}]`);
    for (const part of ["parameters", "requestBody"]) {
      // Some documents describe credentials as parameters, others as security schemes, which have no types.
      const type = (side: string) =>
        part === "parameters" ? `Sent<${at(side, part)}>` : `Pick<${at(side)}, "requestBody">`;
      checks.push({ title: `${title}: ${part}`, code: `${type("Theirs")} = {} as ${type("Ours")}` });
    }
    for (const status of responses) {
      const same =
        other[2].find((one) => one === status) ??
        other[2].find((one) => one === `${status[0]}XX` || one === "default");
      const line = `${title}: status ${status}`;
      if (same)
        checks.push({
          title: line,
          code: `${at("Ours", "responses", status)} = {} as ${at("Theirs", "responses", same)}`,
        });
      else if (status.startsWith("2")) found.contradictions.push(`${line} is not answered`);
      else found.oursAlone.push(line);
    }
    for (const status of other[2])
      if (status.startsWith("2") && !responses.includes(status))
        found.contradictions.push(`${title}: status ${status} is answered, and ${name} does not know it`);
  }
  found.contradictions.push(...(await compile(checks, ours, theirs)));
  return found;
}

function operationsOf(document: Fields): [path: string, method: string, statuses: string[]][] {
  return Object.entries(fieldsOf(document["paths"])).flatMap(([path, item]) =>
    Object.entries(fieldsOf(item))
      .filter(([method]) => /^(get|put|post|delete|patch|head|options|trace)$/.test(method))
      .map(([method, operation]): [string, string, string[]] => [
        path,
        method,
        Object.keys(fieldsOf(fieldsOf(operation)["responses"])),
      ]),
  );
}

const keyOf = (key: string): string => (/^\d+$/.test(key) ? key : JSON.stringify(key));

/** Returns the compiler's message for each assignment that does not hold. */
async function compile(
  checks: { title: string; code: string }[],
  ours: Fields,
  theirs: Fields,
): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "comparison-"));
  try {
    for (const [name, document] of Object.entries({ ours, theirs })) {
      const types = await openapiTS(JSON.stringify(document), { silent: true });
      await writeFile(join(folder, `${name}.ts`), astToString(types));
    }
    const imports = `import type { paths as Ours } from "./ours"; import type { paths as Theirs } from "./theirs";
type Sent<P> = P extends { header?: infer H } ? Omit<P, "header"> & { header?: Omit<H, "x-client-key" | "authorization"> } : P;`;
    const lines = checks.map(({ code }, index) => `export const check${index}: ${code};`);
    const file = join(folder, "check.ts");
    await writeFile(file, [imports, ...lines].join("\n"));
    // Without the DOM types, which would take most of the compiler's time.
    const options = { strict: true, noEmit: true, types: [], skipLibCheck: true, lib: ["lib.es2020.d.ts"] };
    const program = ts.createProgram([file], options);
    return ts.getPreEmitDiagnostics(program).map(({ file: at, start = 0, messageText }) => {
      const line = at?.getLineAndCharacterOfPosition(start).line ?? 0;
      const reasons = ts.flattenDiagnosticMessageText(messageText, "\n").split(/\n\s*/);
      // The first line repeats both types. The last lines name the difference.
      return `${checks[line - 2]?.title ?? "types"}: ${reasons.slice(reasons.length > 3 ? -3 : -1).join(" ")}`;
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Finds contradictions between a document and the recorded contract. */
export async function comparePact(pact: PactFile, document: Fields): Promise<Comparison> {
  const result: Comparison = { contradictions: [], oursAlone: [] };
  // The comparator mutates its input.
  const comparator = new Comparator(structuredClone(document) as ConstructorParameters<typeof Comparator>[0]);
  for await (const { type, message, mockDetails } of comparator.compare(structuredClone(pact))) {
    const line = `${mockDetails?.interactionDescription ?? "the contract"}: ${message}`;
    (type === "error" ? result.contradictions : result.oursAlone).push(line);
  }
  return result;
}
