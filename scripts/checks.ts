/**
 * The checks of `npm test`, and the suites that need more than Node and npm. Each is a shell command.
 */

export interface Check {
  /** The name for `npm test -- <name>`. */
  name: string;
  command: string;
  /** Ends with `vitest run`, and each of its tests counts. Other checks count as one. */
  isVitest?: true;
  /** Runs alone: it writes files that other checks read, or needs both processors. */
  isAlone?: true;
  /** Tests that wait most of the time, so that they run beside others. */
  isLight?: true;
}

const links =
  "--use validate-links=repository:false --ignore-path .gitignore --ignore-pattern docs/api --ignore-pattern contracts/broker/vendor";
const specifications = "openapi/baanx-auth.openapi.yaml openapi/sessions.arazzo.yaml";

/** TypeScript 7 takes a quarter of the time. Generator and build need 5.9, with which `package.test.ts` compiles. */
const tsc = "node node_modules/typescript7/bin/tsc";

export const checks: readonly Check[] = [
  { name: "build", command: "tsdown --logLevel error && tsx scripts/licences.ts", isAlone: true },
  { name: "lint", command: "biome check ." },
  { name: "specification", command: `redocly lint --config openapi/redocly.yaml ${specifications}` },
  { name: "pipelines", command: "tsx scripts/lint-pipelines.ts" },
  { name: "words", command: "cspell --no-progress --no-summary ." },
  { name: "prose", command: "tsx scripts/prose.ts" },
  { name: "links", command: `remark --frail --quiet --no-stdout ${links} .` },
  { name: "codegen", command: "tsx scripts/codegen.ts --check" },
  { name: "docs", command: "tsx scripts/docs.ts --check" },
  // `src` once more without Node's types: most of it runs in browsers.
  { name: "types", command: `${tsc} -p . && ${tsc} -p src` },
  { name: "unit", command: "vitest run --project unit --coverage", isVitest: true },
  { name: "explorations", command: "vitest run --project explorations", isVitest: true },
  { name: "pact", command: "tsx scripts/contracts.ts --check && tsx scripts/contracts-verify.ts --sandbox" },
  { name: "contracts", command: "vitest run --project contracts", isVitest: true },
  // The examples import the built package: those of pages with the DOM, the others without.
  { name: "examples", command: `${tsc} -p examples && ${tsc} -p examples/tsconfig.node.json` },
  { name: "unused", command: "knip" },
  { name: "package", command: "tsx scripts/lint-package.ts" },
  { name: "size", command: "tsx scripts/size.ts" },
  { name: "commands", command: "vitest run --project commands", isVitest: true, isAlone: true },
];

/** Suites that need Redis, Ruby, a browser or other runtimes: `npm test -- --all`. */
export const suites: readonly Check[] = [
  { name: "redis", command: "vitest run --project redis", isVitest: true },
  {
    name: "broker",
    command: "vitest run --project broker --no-file-parallelism",
    isVitest: true,
    isLight: true,
  },
  { name: "runtimes", command: "vitest run --project runtimes", isVitest: true },
  { name: "browser", command: "vitest run --project browser", isVitest: true, isAlone: true },
];
