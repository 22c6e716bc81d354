/**
 * What of one API's description another one contradicts, and what it does not say at all: for each operation that ours
 * describes, what is sent must be taken, and what is answered must be as it is read.
 */
import type { ApiDocument, Operation, Parameter } from "./document.ts";
import { type Difference, differencesOf } from "./schemas.ts";

export interface Comparison {
  /** A line each. */
  contradictions: string[];
  /** What only ours says: it may be true and not be described. */
  oursAlone: string[];
}

/** Two documents, and the name of the first in what is said. */
interface Pair {
  ours: ApiDocument;
  theirs: ApiDocument;
  name: string;
}

type Found = readonly [kind: keyof Comparison, text: string];
const contradicts = (text: string): Found => ["contradictions", text];
const alone = (text: string): Found => ["oursAlone", text];

/** @param name - of the first document in what is said */
export function compareDocuments(ours: ApiDocument, theirs: ApiDocument, name = "ours"): Comparison {
  const pair = { ours, theirs, name };
  const found = ours.operations.flatMap((operation) => {
    const { method, path } = operation;
    const same = theirs.operations.filter((other) => other.path === path);
    const other = same.find((candidate) => candidate.method === method);
    const methods = same.map((one) => one.method).join(" or ");
    const results = other
      ? [
          ...sent(operation, other, pair),
          ...bodies(operation, other, pair),
          ...answers(operation, other, pair),
        ]
      : [contradicts(methods ? `the method is ${methods}` : "there is no such path")];
    return results.map(([kind, text]): Found => [kind, `${method} ${path}: ${text}`]);
  });
  const of = (wanted: keyof Comparison) => found.filter(([kind]) => kind === wanted).map(([, text]) => text);
  return { contradictions: of("contradictions"), oursAlone: byStatus(of("oursAlone")) };
}

/** What differs by the status alone is one line. */
function byStatus(lines: readonly string[]): string[] {
  const groups = new Map<string, string[]>();
  for (const line of lines) {
    const [, what = line, status] = /^(.* )(\d(?:\d\d|XX))$/.exec(line) ?? [];
    groups.set(what, [...(groups.get(what) ?? []), ...(status ? [status] : [])]);
  }
  return [...groups].map(([what, statuses]) => `${what}${statuses.join(", ")}`);
}

/** Parameters and credentials, which some describe as headers and some as security schemes. */
function sent(ours: Operation, theirs: Operation, { name: who, ...documents }: Pair): Found[] {
  const known = new Map(theirs.parameters.map((parameter) => [parameter.name, parameter]));
  const own = new Map(ours.parameters.map((parameter) => [parameter.name, parameter]));
  const ourCredentials = ours.credentials[0] ?? [];
  const isSent = (name: string) => own.has(name) || ourCredentials.includes(name);
  const [lacking = []] = theirs.credentials
    .map((names) => names.filter((name) => !isSent(name)))
    .sort((a, b) => a.length - b.length);
  const named = [...known.keys(), ...theirs.credentials.flat()];
  return [
    ...lacking.map((name) => contradicts(`the ${name} is required, and ${who} does not send it`)),
    ...theirs.parameters.flatMap(({ name, isRequired }) =>
      isRequired && !isAlwaysSent(name, own, ourCredentials)
        ? [
            contradicts(
              `the ${name} is required, and ${who} ${own.has(name) ? "may leave it out" : "does not send it"}`,
            ),
          ]
        : [],
    ),
    ...ours.parameters.flatMap(({ name, schema }) => {
      const other = known.get(name);
      if (!other) return named.includes(name) ? [] : [alone(`the ${name}`)];
      const differences = differencesOf(
        { schema, resolve: documents.ours.resolve },
        { schema: other.schema, resolve: documents.theirs.resolve },
      );
      return differences.map((difference) => contradicts(`the ${name} ${ofRequest(difference, who)}`));
    }),
    ...ourCredentials.flatMap((name) => (named.includes(name) ? [] : [alone(`the ${name}`)])),
  ];
}

const isAlwaysSent = (name: string, own: Map<string, Parameter>, credentials: string[]): boolean =>
  credentials.includes(name) || own.get(name)?.isRequired === true;

function bodies(ours: Operation, theirs: Operation, { name: who, ...documents }: Pair): Found[] {
  if (!ours.body)
    return theirs.body?.isRequired ? [contradicts(`a body is required, and ${who} sends none`)] : [];
  if (!theirs.body) return [alone("the body that is sent")];
  const { schema } = theirs.body;
  if (!schema || !ours.body.schema)
    return schema ? [] : [contradicts(`the body is not JSON, which ${who} sends`)];
  const written = { schema: ours.body.schema, resolve: documents.ours.resolve };
  return differencesOf(written, { schema, resolve: documents.theirs.resolve }).flatMap((difference) =>
    // What they would take and ours does not send is no matter of ours.
    difference.kind === "unknown"
      ? []
      : [contradicts(`${difference.at} of the body ${ofRequest(difference, who)}`)],
  );
}

function answers(ours: Operation, theirs: Operation, { name: who, ...documents }: Pair): Found[] {
  const more = [...theirs.responses.keys()].filter(
    (status) => /^2\d\d$/.test(status) && !ours.responses.has(status),
  );
  let isReplaced = false;
  const found = [...ours.responses].flatMap(([status, { schema }]): Found[] => {
    const other =
      [...theirs.responses].find(([name]) => isWithin(name, status))?.[1] ?? theirs.responses.get("DEFAULT");
    const isSuccess = status.startsWith("2");
    if (!other) {
      isReplaced ||= isSuccess;
      const instead = more.length > 0 ? `${more.join(" or ")} is answered in place of ${status}` : undefined;
      return [isSuccess ? contradicts(instead ?? `${status} is not answered`) : alone(`status ${status}`)];
    }
    if (!schema) return [];
    if (!other.schema) {
      const type = other.mediaTypes.join(" or ");
      if (type) return [contradicts(`${status} is ${type}, and ${who} reads JSON`)];
      return [
        isSuccess
          ? contradicts(`${status} has no body, and ${who} reads one`)
          : alone(`the body of ${status}`),
      ];
    }
    const written = { schema: other.schema, resolve: documents.theirs.resolve };
    return differencesOf(written, { schema, resolve: documents.ours.resolve }).map((difference) =>
      difference.kind === "unknown"
        ? alone(`${difference.at} of ${status}`)
        : contradicts(`${difference.at} of ${status} ${ofAnswer(difference, who)}`),
    );
  });
  const unknown = isReplaced ? [] : more;
  return [
    ...unknown.map((status) => contradicts(`${status} is answered, and ${who} knows no such success`)),
    ...found,
  ];
}

/** A range, on either side, has the statuses that begin as it does. */
const isWithin = (theirs: string, ours: string): boolean =>
  theirs === ours || (/XX$/.test(theirs + ours) && theirs[0] === ours[0]);

function ofRequest({ kind, written, read }: Difference, who: string): string {
  if (kind === "missing") return `is required, and ${who} does not send it`;
  if (kind === "unwanted") return `is not taken, and ${who} sends it`;
  return `is ${read}, and ${who} sends ${written}`;
}

function ofAnswer({ kind, written, read }: Difference, who: string): string {
  if (kind === "missing") return `may be missing, and ${who} relies on it`;
  return `is ${written}, and ${who} reads ${read}`;
}
