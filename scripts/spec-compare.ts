/**
 * `npm run spec:compare`: compares the specification, and the contract, with an OpenAPI document of the provider; or the
 * specification with its own past. It decides on arguments, messages and exit codes; the comparison is
 * `contracts/comparison`.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Comparison, compareDocuments } from "../contracts/comparison/compare.ts";
import { documentAt, readDocument } from "../contracts/comparison/document.ts";
import { comparePact } from "../contracts/comparison/pact.ts";
import { firstLine } from "../contracts/message.ts";
import { readPact } from "../contracts/pact-file.ts";
import { UsageError } from "../contracts/target.ts";

const help = `Usage: npm run spec:compare -- <file or address>
       npm run spec:compare -- --since <commit>

Compares what openapi/baanx-auth.openapi.yaml says of each of its operations with an
OpenAPI 3.x document of the provider: what contradicts, and what is said by ours alone.
The recorded contract is compared with it, too.

  --since <commit>  compares with the specification as it was at that commit: what would
                    break whoever relies on it. On GitHub each becomes a warning
  --help            shows this text

Exit codes: 0 nothing contradicts, 1 something does, 2 wrong usage or no such document.
`;

// npm runs a script in the folder of the package.
const root = process.cwd();
const own = "openapi/baanx-auth.openapi.yaml";

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const { values, positionals } = readArguments();
    if (values.help) {
      process.stdout.write(help);
      return 0;
    }
    const [source, ...more] = positionals;
    if (more.length > 0 || (source === undefined) === (values.since === undefined))
      throw new UsageError("One document is compared: a file, an address, or --since a commit.");
    const ours = await readDocument(resolve(root, own));
    if (source === undefined)
      return since(compareDocuments(documentAt(values.since ?? "", own, root), ours, "the old one"));

    const theirs = await readDocument(/^https?:/.test(source) ? source : resolve(source));
    const documents = compareDocuments(ours, theirs);
    const pact = await comparePact(await readPact(), theirs);
    process.stdout.write(section("The specification", documents) + section("The contract", pact));
    return documents.contradictions.length + pact.contradictions.length > 0 ? 1 : 0;
  } catch (error) {
    const isUsage = error instanceof UsageError;
    process.stderr.write(`spec:compare: ${firstLine(error)}${isUsage ? " See --help." : ""}\n`);
    return isUsage ? 2 : 1;
  }
}

function since({ contradictions, oursAlone }: Comparison): number {
  const changes = [
    ...contradictions.map((line) => `breaking: ${line}`),
    ...oursAlone.map((line) => `no longer described: ${line}`),
  ];
  const mark = process.env["GITHUB_ACTIONS"] ? `::warning file=${own}::` : "";
  for (const line of changes) process.stdout.write(`${mark}${line}\n`);
  if (changes.length === 0)
    process.stdout.write("Nothing of the specification breaks whoever relies on it.\n");
  return contradictions.length > 0 ? 1 : 0;
}

function section(title: string, { contradictions, oursAlone }: Comparison): string {
  const list = (name: string, lines: string[]) =>
    `${name}: ${lines.length}\n${lines.map((line) => `  ${line}\n`).join("")}`;
  return `${title}\n${list("Contradicts", contradictions)}${list("Ours alone", oursAlone)}\n`;
}

function readArguments() {
  try {
    const options = { since: { type: "string" }, help: { type: "boolean" } } as const;
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${firstLine(error).split(". ", 1)[0]}.`);
  }
}
