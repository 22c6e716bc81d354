/**
 * Generates every change to one place in the recorded contract's JSON. Each must be detected by a judge of the contract,
 * not by a comparison of bytes.
 */
import { fieldsOf, type PactFile, type PactInteraction } from "../pact-file.ts";
import { states } from "../states.ts";

export interface Mutation {
  /** The change, which is the same in each interaction that has its place. */
  change: string;
  /** The changed contract. Exactly one interaction differs. */
  pact: PactFile;
  interaction: PactInteraction;
}

type Path = readonly string[];
type Change = readonly [name: string, change: (interaction: PactInteraction) => void];

/** Replacements for a value, besides removal: the strings, numbers and matchers that a contract might hold. */
const substitutes: unknown[] = [
  ...[
    200,
    201,
    204,
    302,
    400,
    401,
    403,
    404,
    429,
    498,
    499,
    500,
    true,
    false,
    "true",
    "us",
    "PUT",
    "/v1/auth",
  ],
  ...[
    "documented",
    "observed",
    "assumed",
    `\${refreshToken}`,
    `another-\${accessToken}`,
    ".*",
    "type",
    "regex",
  ],
  ...Object.keys(states),
];

export function mutationsOf(pact: PactFile): Mutation[] {
  return pact.interactions.flatMap((original) =>
    changesOf(original).map(([name, change]) => {
      const interaction = structuredClone(original);
      change(interaction);
      const interactions = pact.interactions.map((other) => (other === original ? interaction : other));
      return { change: name, pact: { ...pact, interactions }, interaction };
    }),
  );
}

function changesOf(interaction: PactInteraction): Change[] {
  return pathsIn(interaction).flatMap(([path, value]): Change[] => {
    const name = path.join(".");
    const set = (to: unknown) => (it: PactInteraction) => {
      const parent = path.slice(0, -1).reduce<unknown>((from, key) => Reflect.get(Object(from), key), it);
      if (to === undefined) Reflect.deleteProperty(Object(parent), path.at(-1) ?? "");
      else Reflect.set(Object(parent), path.at(-1) ?? "", to);
    };
    const removed: Change = [`${name} removed`, set(undefined)];
    if (typeof value === "object" && value !== null) {
      // Pact reads only these fields of the object, but any header, rule or generator elsewhere.
      if (/^(request|response|response\.body|providerStates\.\d|comments.*)$/.test(name)) return [removed];
      const more = Array.isArray(value) ? [...value, ...value] : { ...value, "x-more": ["more"] };
      return [removed, [`${name} has more`, set(more)]];
    }
    // The source of an interaction is free text.
    const others =
      path.at(-1) === "source" ? [] : substitutes.filter((other) => typeof other === typeof value);
    const changed = others.filter((other) => other !== value);
    return [removed, ...changed.map((other): Change => [`${name} is ${JSON.stringify(other)}`, set(other)])];
  });
}

/** Lists each place in the JSON, except metadata that Pact writes and does not judge by. */
function pathsIn(value: unknown, path: Path = []): [Path, unknown][] {
  const own = path.length === 0 ? ["key", "type"] : ["contentType", "encoded"];
  const entries = Object.entries(fieldsOf(value)).filter(([key]) => !own.includes(key));
  return entries.flatMap(([key, one]): [Path, unknown][] => [
    [[...path, key], one],
    ...pathsIn(one, [...path, key]),
  ]);
}
