/**
 * `npx tsx scripts/spec-compare.ts`: compares the specification and the contract with a provider's OpenAPI document, or
 * with their own past, by `contracts/comparison`.
 */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { runCommand, UsageError } from "../contracts/command.ts";
import type { Comparison } from "../contracts/comparison/compare.ts";
import { readPact } from "../contracts/pact-file.ts";

const help = `Usage: npx tsx scripts/spec-compare.ts <file or address>
       npx tsx scripts/spec-compare.ts --since <commit>

Compares what openapi/baanx-auth.openapi.yaml says of each of its operations with an
OpenAPI 3.x document of the provider, by the types that both generate: of each request and
each answer the first difference. The recorded contract is compared with it, too.

  --since <commit>  compares with the specification as it was at that commit: what would
                    break its users. On GitHub each becomes a warning
  --help            shows this text

Exit codes: 0 nothing contradicts, 1 something does, 2 wrong usage or no such document.
`;

// The folder of the package, or of a copy.
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
    const before = commit === undefined ? "" : specificationAt(commit);
    // Loaded on demand because it imports the compiler.
    const { compareDocuments, comparePact, documentOf, readDocument } = await import(
      "../contracts/comparison/compare.ts"
    );
    const ours = await readDocument(resolve(root, own));
    if (source === undefined) {
      const old = documentOf(before, own);
      return printChanges(await compareDocuments(old, ours, "the old one"));
    }
    const theirs = await readDocument(/^https?:/.test(source) ? source : resolve(source));
    const documents = await compareDocuments(ours, theirs);
    const pact = await comparePact(await readPact(), theirs);
    process.stdout.write(section("The specification", documents) + section("The contract", pact));
    if (documents.contradictions.length + pact.contradictions.length > 0) process.exitCode = 1;
  },
});

/** Returns the specification at a commit. */
function specificationAt(commit: string): string {
  const git = ["show", "--end-of-options", `${commit}:${own}`];
  const { status, stdout } = spawnSync("git", git, { cwd: root, encoding: "utf8" });
  if (status === 0) return stdout;
  throw new UsageError(`${own} does not exist at the commit that --since names.`);
}

function printChanges({ contradictions, oursAlone }: Comparison): void {
  const mark = process.env["GITHUB_ACTIONS"] ? `::warning file=${own}::` : "";
  for (const line of contradictions) process.stdout.write(`${mark}breaking: ${line}\n`);
  for (const line of oursAlone) process.stdout.write(`${mark}no longer described: ${line}\n`);
  if (contradictions.length + oursAlone.length === 0)
    process.stdout.write("No change of the specification breaks its users.\n");
  if (contradictions.length > 0) process.exitCode = 1;
}

function section(title: string, { contradictions, oursAlone }: Comparison): string {
  const list = (name: string, lines: string[]) =>
    `${name}: ${lines.length}\n${lines.map((line) => `  ${line}\n`).join("")}`;
  return `${title}\n${list("Contradicts", contradictions)}${list("Ours alone", oursAlone)}\n`;
}
