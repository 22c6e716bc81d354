/**
 * Whether the contract is a subset of the OpenAPI document. The comparison is openapi-pact-comparator's;
 * where that looks away, at request headers and security of a refusal, this looks itself.
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
  /** What of a contract the document does not allow, one line each. */
  compare(pact: PactFile): Promise<string[]>;
}

export async function readSpecification(): Promise<Specification> {
  const document = fieldsOf(parse(await readFile(specification, "utf8")));
  // It checks the document itself, and changes what it is given.
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

/**
 * The comparator takes any one scheme of a security requirement for all of it, and asks for none where the
 * answer is a 4xx; a header that the document does not know it merely warns of.
 */
function check(interaction: PactInteraction, document: Fields): string[] {
  const { description, request, response } = interaction;
  const operation = at(document, "paths", request.path, request.method.toLowerCase());
  const found = at(document, operation, "responses", String(response.status));
  const headers = new Map(
    Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const lines: string[] = [];

  const requirements = listOf(operation["security"] ?? document["security"]);
  const schemes = requirements.map((requirement) =>
    Object.keys(fieldsOf(requirement)).map((name) =>
      schemeOf(at(document, "components", "securitySchemes", name)),
    ),
  );
  const meets = ({ header, form }: Scheme) =>
    headers.get(header)?.every((value) => form.test(value)) === true;
  if (!schemes.some((all) => all.length > 0 && all.every(meets)))
    lines.push("the credentials that the specification requires are not all stated");

  const parameters = listOf(operation["parameters"]).map((parameter) => resolve(document, parameter));
  const inHeader = parameters.filter((parameter) => parameter["in"] === "header");
  for (const { name, required } of inHeader) {
    if (required === true && !headers.has(String(name).toLowerCase()))
      lines.push(`the header ${name} is not stated`);
  }
  const known = [
    ...schemes.flat().map(({ header }) => header),
    ...inHeader.map(({ name }) => String(name).toLowerCase()),
  ];
  for (const name of headers.keys()) {
    if (!known.includes(name)) lines.push(`the specification does not know the header ${name}`);
  }

  // A range, such as 5XX, is no promise that a contract could hold a provider to.
  if (Object.keys(found).length === 0)
    lines.push(`the specification does not name the status ${response.status}`);
  else {
    // A header that may be left out has evidence of its own, and the weaker one counts.
    const stated = inHeader.filter(({ name }) => headers.has(String(name).toLowerCase()));
    const kinds: readonly unknown[] = kindsOfEvidence;
    const known = [found, ...stated].map((part) => kinds.indexOf(part["x-evidence"]));
    const weakest = known.includes(-1) ? undefined : kindsOfEvidence[Math.max(...known)];
    if (weakest !== evidenceOf(interaction))
      lines.push(`its evidence is not the one of the specification, ${weakest}`);
  }

  return lines.map((line) => `${description}: ${line}`);
}

interface Scheme {
  header: string;
  form: RegExp;
}

function schemeOf({ type, in: place, name, scheme }: Fields): Scheme {
  if (type === "apiKey" && place === "header") return { header: String(name).toLowerCase(), form: /./ };
  if (type === "http" && scheme === "bearer") return { header: "authorization", form: /^Bearer ./ };
  throw new Error(`The security scheme of type ${String(type)} is none that a contract can state.`);
}

/** Goes down from the document, or from a part of it, and follows references on the way. */
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
