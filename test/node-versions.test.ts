/** The versions of Node in CONTRIBUTING.md match package.json, the pipelines and Pact. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";

const root = resolve(import.meta.dirname, "..");
const read = (name: string) => readFileSync(join(root, name), "utf8");
const workflow = (name: string) => parse(read(`.github/workflows/${name}.yml`));

/** Returns the versions of the row that starts with `what`. */
function said(what: string): number[] {
  const row = read("CONTRIBUTING.md")
    .split("\n")
    .find((line) => line.startsWith(`| ${what}`));
  return (row?.split("|")[2] ?? "").split(",").map(Number);
}

it("supports the tested runtimes in engines", () => {
  const { engines } = JSON.parse(read("package.json"));
  const { optionalDependencies } = JSON.parse(read("test/runtimes/package.json"));
  const tested = Object.keys(optionalDependencies).map((name) => Number(name.replace("node-", "")));
  expect(said("the package and its command")).toEqual(tested);
  expect(engines.node).toBe(`>=${Math.min(...tested)}.19`);
});

it("runs npm test on the versions of both pipelines' matrices", () => {
  const versions = said("all of `npm test`");
  expect(workflow("ci").jobs.test.strategy.matrix.node).toEqual(versions);
  const gitlab = parse(read("docs/gitlab-ci.yml"));
  expect(gitlab.test.parallel.matrix[0].NODE.map(Number)).toEqual(versions);
});

it("supports the contracts on Pact's versions", () => {
  const { version, engines } = JSON.parse(read("node_modules/@pact-foundation/pact/package.json"));
  const [, least = "0"] = /^>=(\d+)/.exec(engines.node) ?? [];
  const versions = said("of that, what Pact supports");
  expect(versions).toEqual(said("all of `npm test`").filter((one) => one >= Number(least)));
  expect(read("CONTRIBUTING.md")).toContain(`Pact ${version.split(".")[0]} declares Node ${least} or later`);
});

it("runs every other job on one version", () => {
  const jobs: { steps: { with?: { "node-version"?: unknown } }[] }[] = [
    "ci",
    "contracts",
    "release",
    "codegen-drift",
  ]
    .flatMap((name) => Object.entries(workflow(name).jobs))
    .flatMap(([name, job]) => (name === "test" ? [] : [job as (typeof jobs)[number]]));
  const found = jobs.flatMap(({ steps }) => steps.flatMap((step) => step.with?.["node-version"] ?? []));
  expect([...new Set(found)]).toEqual(said("the pipelines of contracts and releases"));
  expect(parse(read("docs/gitlab-ci.yml")).image).toBe(`node:${found[0]}-bookworm`);
});
