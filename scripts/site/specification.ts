/** Writes the specification of the API as Markdown, for the site and for readers of the files. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { root } from "./pages.ts";

type Node = { readonly [key: string]: Node } & readonly Node[];

const document: Node = parse(readFileSync(join(root, "openapi", "baanx-auth.openapi.yaml"), "utf8"));
const resolved = (node: Node): Node =>
  node["$ref"]
    ? String(node["$ref"])
        .slice(2)
        .split("/")
        .reduce((at, key) => at[key] as Node, document)
    : node;
const entries = (node?: Node): [string, Node][] => Object.entries(node ?? {});
const list = (node?: Node): Node[] => [...(node ?? [])];
const text = (node?: Node) => String(node ?? "").trim();
const cell = (node?: Node) =>
  text(node).replaceAll("\n\n", "<br>").replaceAll("\n", " ").replaceAll("|", "\\|");
const table = (head: string[], rows: string[][]) =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

/** Returns the page. Statuses of one response share a row. */
export function specificationAsMarkdown(): string {
  const operations = entries(document["paths"]).flatMap(([path, methods]) =>
    entries(methods).map(([method, operation]) => operationSection(method.toUpperCase(), path, operation)),
  );
  const schemas = entries(document["components"]?.["schemas"]).map(([name, schema]) =>
    [`### ${name}`, text(schema["description"]), schemaBody(schema)].filter(Boolean).join("\n\n"),
  );
  const servers = list(document["servers"]).map(({ url, description }) => [`\`${url}\``, cell(description)]);
  return `${[
    "# Specification of the API",
    text(document["info"]?.["description"]),
    "The file is [`openapi/baanx-auth.openapi.yaml`](../../openapi/baanx-auth.openapi.yaml), in the package `baanx-session/openapi.yaml`.",
    table(["Server", "Environment"], servers),
    ...operations,
    "## Schemas",
    ...schemas,
  ].join("\n\n")}\n`;
}

function operationSection(method: string, path: string, operation: Node): string {
  const keys = list(operation["security"] ?? document["security"]).flatMap((way) => Object.keys(way));
  const security = keys.map((key) => resolved(document["components"]?.["securitySchemes"]?.[key] as Node));
  const headers = [
    ...security.map((way) => [
      `\`${way["name"] ?? "authorization"}\``,
      "required",
      "",
      cell(way["description"]),
    ]),
    ...list(operation["parameters"]).map((reference) => {
      const { name, description, "x-evidence": evidence } = resolved(reference);
      return [`\`${name}\``, "optional", cell(evidence), cell(description)];
    }),
  ];
  const body = entries(operation["requestBody"]?.["content"]).flatMap(
    ([type, { schema, example, examples }]) => [
      `Body: ${type}, ${typeOf(schema as Node)}`,
      json(example ?? entries(examples)[0]?.[1]["value"]),
    ],
  );
  const responses = new Map<string, string[]>();
  for (const [status, reference] of entries(operation["responses"])) {
    const { description, content, "x-evidence": evidence } = resolved(reference);
    const types = entries(content).map(([type, { schema }]) =>
      type === "application/json" ? typeOf(schema as Node) : `\`${type}\``,
    );
    const key = JSON.stringify([cell(evidence), cell(description), types.join(", ")]);
    responses.set(key, [...(responses.get(key) ?? []), status]);
  }
  const rows = [...responses].map(([key, statuses]) => [
    statuses.join(", "),
    ...(JSON.parse(key) as string[]),
  ]);
  return [
    `## ${text(operation["summary"])}`,
    `\`${method} ${path}\``,
    text(operation["description"]),
    table(["Header", "Needed", "Evidence", "Meaning"], headers),
    ...body,
    table(["Status", "Evidence", "Meaning", "Body"], rows),
  ].join("\n\n");
}

function schemaBody(schema: Node): string {
  if (!schema["properties"]) return typeOf(schema);
  const required = list(schema["required"]).map(String);
  const rows = entries(schema["properties"]).map(([name, property]) => [
    `\`${name}\`${required.includes(name) ? "" : "?"}`,
    typeOf(property),
    cell(property["description"]),
  ]);
  return table(["Field", "Type", "Meaning"], rows);
}

function typeOf(schema: Node): string {
  if (schema["$ref"]) {
    const name = text(schema["$ref"]).split("/").at(-1);
    return `[${name}](#${name?.toLowerCase()})`;
  }
  const either = schema["oneOf"] ?? schema["anyOf"];
  if (either) return list(either).map(typeOf).join(" or ");
  if (schema["enum"])
    return list(schema["enum"])
      .map((value) => `\`"${value}"\``)
      .join(" or ");
  if (text(schema["type"]) === "array")
    return `array of ${Object.keys(schema["items"] ?? {}).length === 0 ? "any value" : typeOf(schema["items"] as Node)}`;
  return [schema["type"] ?? []].flat().map(String).join(" or ") || "any value";
}

const json = (value?: Node) => `\`\`\`json\n${JSON.stringify(value, undefined, 2)}\n\`\`\``;
