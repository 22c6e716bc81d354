/**
 * `npm test -- prose`: finds habits of writing that make a sentence a riddle, in comments, strings, test titles and
 * documents. None is allowed.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const habits = {
  "a clause instead of a noun": /\bwhat (?:is|was|has|it|the|a)\b|\bthose that\b/gi,
  "a doc comment without a verb or a noun": /\/\*\* (?:What|Whether|It|Of|Who|That) /g,
  "a verb of another language":
    /\b(?:tell|tells|hear|hears|know|knows) of\b|\bgo(?:es)? by\b|\b(?:come|comes|count|counts) (?:to|for) (?:nothing|no)\b|\blets? go of\b|\bwritten? down\b|\bmend(?:s|ed)?\b|\banew\b/gi,
  "a negated existence": /\b(?:is|are|has) (?:no(?! longer)|none)\b/gi,
  "a person instead of a machine": /\b(?:nobody|somebody|whoever)\b/gi,
  "a word of our own": /\b(?:under way|on its way|at hand|given up|meanwhile|all the while|in place of)\b/gi,
  "a title that cannot be read alone": /\bit(?:\.\w+)*\(\s*"(?:that|of|by|and|is|are) /g,
};

/** Phrases that say what they mean. */
const allowed = /what the server said|what is known|nobody is signed in/i;

const files = execFileSync("git", ["ls-files", "*.ts", "*.tsx", "*.mjs", "*.svelte", "*.md", "*.yml"], {
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => file && !/^(src\/generated|docs\/api|\.changeset|CHANGELOG)/.test(file));

for (const file of files) {
  const text = readFileSync(file, "utf8");
  for (const [start, prose] of proseOf(file, text))
    for (const [habit, pattern] of Object.entries(habits))
      for (const { 0: phrase, index } of prose.matchAll(pattern)) {
        if (allowed.test(prose.slice(Math.max(0, index - 20), index + 30))) continue;
        const line = text.slice(0, start + index).split("\n").length;
        process.stdout.write(`${file}:${line}: ${habit}: "${phrase}"\n`);
        process.exitCode = 1;
      }
}

/** Returns the prose of a file: text outside of code in Markdown, comments of workflows; else comments, strings and titles. */
function proseOf(file: string, text: string): (readonly [start: number, prose: string])[] {
  const pattern = file.endsWith(".md")
    ? /```[\s\S]*?```|`[^`]*`|[^`]+/g
    : file.endsWith(".yml")
      ? /#.*/g
      : /\/\*[\s\S]*?\*\/|\/\/.*|\bit(?:\.\w+)*\(\s*"[^"\n]*"|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g;
  return [...text.matchAll(pattern)]
    .filter(([part]) => !(file.endsWith(".md") && part.startsWith("`")))
    .map(({ 0: part, index }) => [index, part] as const);
}
