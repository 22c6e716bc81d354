/** Whether whatever one schema describes is as another one wants it. It judges what JSON schemas of APIs commonly use. */
import { fieldsOf, listOf } from "../pact-file.ts";
import type { Fields } from "./document.ts";

export interface Side {
  schema: Fields;
  resolve(value: unknown): Fields;
}

export interface Difference {
  /** Such as `$.user.id`. */
  at: string;
  /** What of the writer's the reader does not take; or a property that only the reader knows. */
  kind: "type" | "value" | "missing" | "unwanted" | "unknown";
  written: string;
  read: string;
}

/** What of `written` would surprise the reader of `read`. */
export function differencesOf(written: Side, read: Side, at = "$", depth = 0): Difference[] {
  // A schema may contain itself.
  if (depth > 8) return [];
  const readers = variantsOf(read);
  const all = variantsOf(written).flatMap((writer) => {
    // One form that takes it is enough.
    const results = readers.map((reader) =>
      compare({ ...written, ...writer }, { ...read, ...reader }, at, depth),
    );
    const [best = []] = results.sort((a, b) => weightOf(a) - weightOf(b));
    return best;
  });
  return all.filter((one, index) => all.findIndex((other) => isSame(one, other)) === index);
}

const isSame = (a: Difference, b: Difference) =>
  a.at === b.at && a.kind === b.kind && a.written === b.written;

const weightOf = (differences: readonly Difference[]): number =>
  differences.filter(({ kind }) => kind !== "unknown").length;

function compare(written: Side, read: Side, at: string, depth: number): Difference[] {
  const [from, to] = [typesOf(written.schema), typesOf(read.schema)];
  const isTaken = (type: string) => to.includes(type) || (type === "integer" && to.includes("number"));
  if (from.length > 0 && to.length > 0 && !from.every(isTaken))
    return [{ at, kind: "type", written: from.join(" or "), read: to.join(" or ") }];

  const [may, known] = [valuesOf(written.schema), valuesOf(read.schema)];
  const untaken = known && may?.filter((value) => !known.includes(value));
  if (known && (untaken === undefined || untaken.length > 0))
    return [{ at, kind: "value", written: untaken?.join(" or ") ?? "anything", read: known.join(" or ") }];

  const items = [written, read].map(({ schema }) => schema["items"]);
  const elements =
    items[0] !== undefined && items[1] !== undefined
      ? differencesOf(part(written, items[0]), part(read, items[1]), `${at}[]`, depth + 1)
      : [];
  return [...elements, ...properties(written, read, at, depth)];
}

function properties(written: Side, read: Side, at: string, depth: number): Difference[] {
  const [from, to] = [fieldsOf(written.schema["properties"]), fieldsOf(read.schema["properties"])];
  const [given, wanted] = [listOf(written.schema["required"]), listOf(read.schema["required"])];
  const isClosed = read.schema["additionalProperties"] === false;
  const ofReader = Object.keys(to).flatMap((name): Difference[] => {
    const place = `${at}.${name}`;
    const words = { at: place, written: "", read: "" };
    if (wanted.includes(name) && !given.includes(name)) return [{ ...words, kind: "missing" }];
    if (!(name in from)) return [{ ...words, kind: "unknown" }];
    return differencesOf(part(written, from[name]), part(read, to[name]), place, depth + 1);
  });
  // What is wanted may be described nowhere.
  const bare = wanted.filter((name) => typeof name === "string" && !(name in to) && !given.includes(name));
  const unwanted = Object.keys(from).filter((name) => isClosed && !(name in to));
  return [
    ...ofReader,
    ...bare.map((name): Difference => ({ at: `${at}.${name}`, kind: "missing", written: "", read: "" })),
    ...unwanted.map((name): Difference => ({ at: `${at}.${name}`, kind: "unwanted", written: "", read: "" })),
  ];
}

const part = ({ resolve }: Side, schema: unknown): Side => ({ schema: resolve(schema), resolve });

/** A schema as the forms of which one applies, with all that holds for each of them put into it. */
function variantsOf({ schema, resolve }: Side): Side[] {
  const { allOf, oneOf, anyOf, ...own } = schema;
  const base = listOf(allOf).reduce<Fields>((whole, value) => merged(whole, resolve(value)), own);
  const forms = [...listOf(oneOf), ...listOf(anyOf)];
  if (forms.length === 0)
    return base["allOf"] || base["oneOf"] || base["anyOf"]
      ? variantsOf({ schema: base, resolve })
      : [{ schema: base, resolve }];
  return forms.flatMap((form) => variantsOf({ schema: merged(base, resolve(form)), resolve }));
}

function merged(a: Fields, b: Fields): Fields {
  return {
    ...a,
    ...b,
    properties: { ...fieldsOf(a["properties"]), ...fieldsOf(b["properties"]) },
    required: [...listOf(a["required"]), ...listOf(b["required"])],
  };
}

/** None where the schema leaves it open. */
function typesOf(schema: Fields): string[] {
  const { type, nullable } = schema;
  const types = (Array.isArray(type) ? type : [type]).filter((one) => typeof one === "string");
  return types.length > 0 && nullable === true && !types.includes("null") ? [...types, "null"] : types;
}

/** As JSON, where the schema lists them. */
function valuesOf(schema: Fields): string[] | undefined {
  const values = "const" in schema ? [schema["const"]] : schema["enum"];
  return Array.isArray(values) ? values.map((value) => JSON.stringify(value)) : undefined;
}
