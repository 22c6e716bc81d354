/**
 * `npm test -- pipelines`: checks the syntax of the pipelines with GitHub's own parser, and more: each action is pinned
 * to a commit, permissions are read-only by default, and each npm script and check exists.
 */
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser";
import { parseDocument } from "yaml";
import { fieldsOf } from "../contracts/pact-file.ts";
import { checks, suites } from "./checks.ts";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const folder = join(root, ".github", "workflows");
const example = join(root, "docs", "gitlab-ci.yml");

const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));

const names = (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).sort();
const faults = [
  ...(await Promise.all(names.map((name) => faultsOf(join(folder, name))))).flat(),
  // GitLab's linter needs GitLab, so only the YAML and its scripts are checked.
  ...(await gitlabFaults()),
];
if (names.length === 0) faults.push("There is no pipeline in .github/workflows.");
for (const fault of faults) process.stderr.write(`pipelines: ${fault}\n`);
if (faults.length === 0) process.stdout.write(`${names.length} pipelines are in order.\n`);
process.exitCode = faults.length === 0 ? 0 : 1;

async function gitlabFaults(): Promise<string[]> {
  const text = await readFile(example, "utf8");
  const faults = parseDocument(text).errors.map(({ message }) => message);
  return [...faults, ...scriptsMissingIn(text).map((name) => `there is no script ${name}`)].map(
    (fault) => `${shown(example)}: ${fault}`,
  );
}

async function faultsOf(path: string): Promise<string[]> {
  const text = await readFile(path, "utf8");
  const { context, value } = parseWorkflow(
    { name: shown(path), content: text },
    new NoOperationTraceWriter(),
  );
  if (value) await convertWorkflowTemplate(context, value);
  const found = [...new Set(context.errors.getErrors().map(({ message }) => message))];
  const isPinned = /uses:\s*(\.\/|[\w./-]+@[0-9a-f]{40} # v\d)/;
  const loose = text.split("\n").flatMap((line, index) => {
    if (!/^\s*-?\s*uses:/.test(line) || isPinned.test(line)) return [];
    return [
      `${shown(path)}:${index + 1}: this action is not pinned: write uses: <owner>/<name>@<commit> # v<version>`,
    ];
  });
  const permissions = Object.entries(fieldsOf(fieldsOf(parseDocument(text).toJS())["permissions"]));
  const isLeast = permissions.every(([scope, access]) => scope === "contents" && access === "read");
  if (permissions.length === 0 || !isLeast)
    loose.push(
      `${shown(path)}: its permissions must be "contents: read" and nothing else; a job that needs more says so itself`,
    );
  return [
    ...found,
    ...loose,
    ...scriptsMissingIn(text).map((name) => `${shown(path)}: there is no script ${name}`),
  ];
}

/** Returns missing npm scripts, and missing checks of `npm test`. */
function scriptsMissingIn(text: string): string[] {
  const run = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name = ""]) => name);
  const tested = [...text.matchAll(/npm test -- ([a-z ]+)/g)].flatMap(([, names = ""]) =>
    names.trim().split(" "),
  );
  const isCheck = (name: string) => [...checks, ...suites].some((check) => check.name === name);
  return [
    ...new Set([...run.filter((name) => !(name in scripts)), ...tested.filter((name) => !isCheck(name))]),
  ];
}

function shown(path: string): string {
  return relative(root, path);
}
