/**
 * `npm test -- pipelines`: checks the syntax of the pipelines with GitHub's own parser, and more: each action is pinned
 * to a commit, permissions are read-only by default, and each npm script and check exists.
 */
import { readdirSync, readFileSync } from "node:fs";
import { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser";
import { parse } from "yaml";
import { checks, suites } from "./checks.ts";

const folder = ".github/workflows";
const scripts = Object.keys(JSON.parse(readFileSync("package.json", "utf8")).scripts);
const checkNames = [...checks, ...suites].map(({ name }) => name);
let faults = 0;

const names = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
if (names.length === 0) report(folder, "the pipelines are missing");
for (const name of names) await lintWorkflow(`${folder}/${name}`);
// GitLab's linter needs GitLab, so only the YAML and its scripts are checked.
lintScripts("docs/gitlab-ci.yml");
if (faults === 0) process.stdout.write(`${names.length} pipelines are in order.\n`);

function report(place: string, fault: string): void {
  faults += 1;
  process.stderr.write(`pipelines: ${place}: ${fault}\n`);
  process.exitCode = 1;
}

async function lintWorkflow(path: string): Promise<void> {
  const content = lintScripts(path);
  const { context, value } = parseWorkflow({ name: path, content }, new NoOperationTraceWriter());
  if (value) await convertWorkflowTemplate(context, value);
  for (const { message } of context.errors.getErrors()) report(path, message);
  for (const [index, line] of content.split("\n").entries())
    if (/^\s*-?\s*uses:/.test(line) && !/uses:\s*(\.\/|[\w./-]+@[0-9a-f]{40} # v\d)/.test(line))
      report(`${path}:${index + 1}`, "pin this action: uses: <owner>/<name>@<commit> # v<version>");
  if (JSON.stringify(parse(content).permissions) !== '{"contents":"read"}')
    report(path, 'the permissions must be "contents: read" alone; a job that needs more names it');
}

/** Reports npm scripts and checks of `npm test` that do not exist. @throws Error if the file is not YAML */
function lintScripts(path: string): string {
  const text = readFileSync(path, "utf8");
  parse(text);
  for (const [, name = ""] of text.matchAll(/npm run ([\w:-]+)/g))
    if (!scripts.includes(name)) report(path, `the script ${name} does not exist`);
  for (const [, some = ""] of text.matchAll(/npm test -- ([a-z ]+)/g))
    for (const name of some.trim().split(" "))
      if (!checkNames.includes(name)) report(path, `the check ${name} does not exist`);
  return text;
}
