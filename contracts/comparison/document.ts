/** An OpenAPI document from a file, an address or a commit, and its operations in one form, whoever wrote them how. */
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { UsageError } from "../command.ts";
import { fieldsOf, listOf } from "../pact-file.ts";
import { isPrivate } from "../target.ts";

export type Fields = Record<string, unknown>;

export interface Operation {
  method: string;
  /** With `{}` for each parameter. */
  path: string;
  parameters: Parameter[];
  /** Alternatives, each the names of what has to be sent, such as `header authorization`. */
  credentials: string[][];
  body?: { isRequired: boolean; schema: Fields | undefined };
  /** By status, range (`5XX`) or `default`. */
  responses: Map<string, { schema: Fields | undefined; mediaTypes: string[] }>;
}

export interface Parameter {
  /** Such as `header x-us-env`. */
  name: string;
  isRequired: boolean;
  schema: Fields;
}

export interface ApiDocument {
  /** As it was written, but for the path of its server, which is part of its paths. */
  fields: Fields;
  operations: Operation[];
  /** Follows a reference, if it is one. */
  resolve(value: unknown): Fields;
}

/** @param source - a file, or an address: https, or http on this machine */
export async function readDocument(source: string): Promise<ApiDocument> {
  return documentOf(/^https?:/.test(source) ? await textAt(source) : await textIn(source), source);
}

/** The document as it was at a commit. */
export function documentAt(commit: string, path: string, folder: string): ApiDocument {
  try {
    const git = (...args: string[]) =>
      execFileSync("git", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const revision = git("rev-parse", "--verify", "--end-of-options", `${commit}^{commit}`).trim();
    return documentOf(git("show", `${revision}:${path}`), path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`There is no ${path} at the commit that --since names.`);
  }
}

async function textIn(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => {
    throw new UsageError(`${file} cannot be read.`);
  });
}

async function textAt(address: string): Promise<string> {
  if (!isPrivate(new URL(address)))
    throw new UsageError("The address of a document must begin with https://, or with http:// on loopback.");
  const response = await fetch(address, { signal: AbortSignal.timeout(30_000) }).catch(() => undefined);
  if (!response?.ok) {
    const answer = response ? `the answer is ${response.status}` : "there is no answer";
    throw new UsageError(`The document cannot be fetched: ${answer}.`);
  }
  return response.text();
}

export function documentOf(text: string, source: string): ApiDocument {
  let fields: Fields = {};
  try {
    fields = fieldsOf(parse(text));
  } catch {
    throw new UsageError(`${source} is neither YAML nor JSON.`);
  }
  if (!/^3\./.test(String(fields["openapi"]))) throw new UsageError(`${source} is no OpenAPI 3.x document.`);
  const whole = withServer(fields);
  const resolve = resolverOf(whole, source);
  return { fields: whole, resolve, operations: operationsOf(whole, resolve) };
}

/** The same document with the path of its server in its paths. */
function withServer(fields: Fields): Fields {
  const prefix = pathOf(fieldsOf(listOf(fields["servers"])[0])["url"]);
  const paths = Object.entries(fieldsOf(fields["paths"])).map(([path, item]) => [`${prefix}${path}`, item]);
  return { ...fields, servers: [], paths: Object.fromEntries(paths) };
}

function resolverOf(fields: Fields, source: string) {
  return function resolve(value: unknown): Fields {
    const own = fieldsOf(value);
    const reference = own["$ref"];
    if (typeof reference !== "string") return own;
    if (!reference.startsWith("#/"))
      throw new UsageError(`${source} is in several files: \`npx redocly bundle\` makes one of them.`);
    const steps = reference.slice(2).split("/");
    const names = steps.map((step) => decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~"));
    return resolve(names.reduce<Fields>((from, name) => fieldsOf(from[name]), fields));
  };
}

const methods = ["get", "put", "post", "delete", "patch", "head", "options", "trace"];

type Resolve = ApiDocument["resolve"];

function operationsOf(fields: Fields, resolve: Resolve): Operation[] {
  return Object.entries(fieldsOf(fields["paths"])).flatMap(([path, item]) => {
    const shared = resolve(item);
    const form = path.replaceAll(/\{[^}]*\}/g, "{}");
    return Object.keys(shared)
      .filter((method) => methods.includes(method))
      .map((method) => operationOf(method.toUpperCase(), form, shared, fields, resolve));
  });
}

function operationOf(
  method: string,
  path: string,
  shared: Fields,
  fields: Fields,
  resolve: Resolve,
): Operation {
  const own = resolve(shared[method.toLowerCase()]);
  const body = resolve(own["requestBody"]);
  return {
    method,
    path,
    parameters: [...listOf(shared["parameters"]), ...listOf(own["parameters"])].map((value) => {
      const { in: place, name, required, schema } = resolve(value);
      return {
        name: nameOf(place, name),
        isRequired: required === true,
        schema: resolve(schema),
      };
    }),
    credentials: listOf(own["security"] ?? fields["security"]).map((requirement) =>
      Object.keys(fieldsOf(requirement)).map((name) =>
        credentialOf(resolve(fieldsOf(fieldsOf(fields["components"])["securitySchemes"])[name])),
      ),
    ),
    ...(own["requestBody"] !== undefined && {
      body: { isRequired: body["required"] === true, schema: contentOf(body, resolve).schema },
    }),
    responses: new Map(
      Object.entries(fieldsOf(own["responses"])).map(([status, value]) => [
        status.toUpperCase(),
        contentOf(resolve(value), resolve),
      ]),
    ),
  };
}

function contentOf({ content }: Fields, resolve: Resolve) {
  const mediaTypes = Object.keys(fieldsOf(content));
  const json = mediaTypes.find((type) => /^(application\/([\w.-]+\+)?json|\*\/\*)/i.test(type));
  const { schema } = fieldsOf(json === undefined ? {} : fieldsOf(content)[json]);
  return { mediaTypes, schema: json === undefined ? undefined : resolve(schema) };
}

/** Names of headers are the same in any case. */
const nameOf = (place: unknown, name: unknown): string =>
  `${place} ${place === "header" ? String(name).toLowerCase() : name}`;

const credentialOf = ({ type, in: place, name }: Fields): string =>
  type === "apiKey" ? nameOf(place, name) : "header authorization";

/** Of a server's address, absolute or not, without a slash at its end. */
function pathOf(url: unknown): string {
  const text = typeof url === "string" ? url.replaceAll(/\{[^}]*\}/g, "x") : "/";
  return URL.canParse(text, "https://x") ? new URL(text, "https://x").pathname.replace(/\/+$/, "") : "";
}
