/**
 * Checks that the contract is a subset of the OpenAPI document, with openapi-pact-comparator, and checks the evidence.
 * The comparator ignores request headers of refusals; `structure.ts` checks those.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Comparator } from "@pactflow/openapi-pact-comparator";
import { parse } from "yaml";
import { evidenceOf, fieldsOf, listOf, type PactFile, type PactInteraction } from "../pact-file.ts";
import { kindsOfEvidence } from "../states.ts";

type Fields = Record<string, unknown>;

const specification = fileURLToPath(new URL("../../openapi/baanx-auth.openapi.yaml", import.meta.url));

export interface Specification {
  document: Fields;
  /** Resolves to each part of a contract that the document does not allow, one line each. */
  compare(pact: PactFile): Promise<string[]>;
}

export async function readSpecification(): Promise<Specification> {
  const document = fieldsOf(parse(await readFile(specification, "utf8")));
  // The comparator validates the document and mutates its input.
  const comparator = new Comparator(structuredClone(document) as ConstructorParameters<typeof Comparator>[0]);
  return {
    document,
    async compare(pact) {
      const lines: string[] = [];
      for await (const { code, message, mockDetails } of comparator.compare(structuredClone(pact))) {
        lines.push(`${mockDetails?.interactionDescription ?? "the contract"}: ${message} (${code})`);
      }
      return [...lines, ...pact.interactions.flatMap((interaction) => check(interaction, document))];
    },
  };
}

/** Checks that an interaction has the weakest evidence of its answer and its optional headers in the specification. */
function check(interaction: PactInteraction, document: Fields): string[] {
  const { description, request, response } = interaction;
  const operation = at(document, "paths", request.path, request.method.toLowerCase());
  const found = at(document, operation, "responses", String(response.status));
  // A range, such as 5XX, does not promise a status.
  if (Object.keys(found).length === 0)
    return [`${description}: the specification does not name the status ${response.status}`];
  const sent = Object.keys(request.headers ?? {}).map((name) => name.toLowerCase());
  const stated = listOf(operation["parameters"])
    .map((parameter) => resolve(document, parameter))
    .filter(
      (parameter) => parameter["in"] === "header" && sent.includes(String(parameter["name"]).toLowerCase()),
    );
  const kinds: readonly unknown[] = kindsOfEvidence;
  const known = [found, ...stated].map((part) => kinds.indexOf(part["x-evidence"]));
  const weakest = known.includes(-1) ? undefined : kindsOfEvidence[Math.max(...known)];
  return weakest === evidenceOf(interaction)
    ? []
    : [`${description}: its evidence is not the one of the specification, ${weakest}`];
}

/** Walks down from a part of the document and follows references. */
export function at(document: Fields, ...way: (string | Fields)[]): Fields {
  return way.reduce<Fields>(
    (from, step) => (typeof step === "string" ? resolve(document, from[step]) : step),
    document,
  );
}

function resolve(document: Fields, value: unknown): Fields {
  const fields = fieldsOf(value);
  const { $ref } = fields;
  return typeof $ref === "string" ? at(document, ...$ref.replace(/^#\//, "").split("/")) : fields;
}
