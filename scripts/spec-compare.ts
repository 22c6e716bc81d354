/**
 * `npx tsx scripts/spec-compare.ts`: compares the specification, and the contract, with an OpenAPI document of the provider; or the
 * specification with its own past. It decides on arguments, messages and exit codes; the comparison is
 * `contracts/comparison`.
 */
import { resolve } from "node:path";
import { runCommand, UsageError } from "../contracts/command.ts";
import { type Comparison, compareDocuments } from "../contracts/comparison/compare.ts";
import { documentAt, readDocument } from "../contracts/comparison/document.ts";
import { comparePact } from "../contracts/comparison/pact.ts";
import { readPact } from "../contracts/pact-file.ts";

const help = `Usage: npx tsx scripts/spec-compare.ts <file or address>
       npx tsx scripts/spec-compare.ts --since <commit>

Compares what openapi/baanx-auth.openapi.yaml says of each of its operations with an
OpenAPI 3.x document of the provider: what contradicts, and what is said by ours alone.
The recorded contract is compared with it, too.

  --since <commit>  compares with the specification as it was at that commit: what would
                    break whoever relies on it. On GitHub each becomes a warning
  --help            shows this text

Exit codes: 0 nothing contradicts, 1 something does, 2 wrong usage or no such document.
`;

// It is run in the folder of the package, or of a copy of it.
const root = process.cwd();
const own = "openapi/baanx-auth.openapi.yaml";

await runCommand({
  name: "spec-compare",
  help,
  options: { since: { type: "string" } },
  allowPositionals: true,
  async run({ since: commit }, [source, ...more]) {
    if (more.length > 0 || (source === undefined) === (commit === undefined))
      throw new UsageError("One document is compared: a file, an address, or --since a commit.");
    const ours = await readDocument(resolve(root, own));
    if (source === undefined)
      return sayChanges(compareDocuments(documentAt(commit ?? "", own, root), ours, "the old one"));

    const theirs = await readDocument(/^https?:/.test(source) ? source : resolve(source));
    const documents = compareDocuments(ours, theirs);
    const pact = await comparePact(await readPact(), theirs);
    process.stdout.write(section("The specification", documents) + section("The contract", pact));
    if (documents.contradictions.length + pact.contradictions.length > 0) process.exitCode = 1;
  },
});

function sayChanges({ contradictions, oursAlone }: Comparison): void {
  const changes = [
    ...contradictions.map((line) => `breaking: ${line}`),
    ...oursAlone.map((line) => `no longer described: ${line}`),
  ];
  const mark = process.env["GITHUB_ACTIONS"] ? `::warning file=${own}::` : "";
  for (const line of changes) process.stdout.write(`${mark}${line}\n`);
  if (changes.length === 0)
    process.stdout.write("Nothing of the specification breaks whoever relies on it.\n");
  if (contradictions.length > 0) process.exitCode = 1;
}

function section(title: string, { contradictions, oursAlone }: Comparison): string {
  const list = (name: string, lines: string[]) =>
    `${name}: ${lines.length}\n${lines.map((line) => `  ${line}\n`).join("")}`;
  return `${title}\n${list("Contradicts", contradictions)}${list("Ours alone", oursAlone)}\n`;
}
