/**
 * The tests, in one project per kind. `unit`, `commands`, `consumer` and `contracts` need Node and npm only; the others
 * need the tools in their names.
 */
import { defineConfig, type TestProjectConfiguration } from "vitest/config";

/** The timeout of tests that start processes, build, or wait for a browser, on a busy machine. */
const patient = { testTimeout: 120_000, hookTimeout: 120_000, maxConcurrency: 2 } as const;
const pathOf = (relative: string) => new URL(relative, import.meta.url).pathname;
/** Resolves the package's name in examples to the sources. */
const resolve = {
  alias: [
    { find: /^baanx-session$/, replacement: pathOf("src/index.ts") },
    { find: /^baanx-session\/redis$/, replacement: pathOf("src/stores/redis.ts") },
  ],
};

/** Projects that run thousands of interleavings. */
const explorations = ["explore", "explore-faults", "model", "torture", "memory"].map(
  (name) => `test/${name}.test.ts`,
);

const projects: TestProjectConfiguration[] = [
  {
    resolve,
    test: {
      name: "unit",
      // The folders below are separate projects.
      include: ["test/*.test.ts"],
      exclude: explorations,
      // Uses all cores: vitest would leave one of two idle.
      maxWorkers: "100%",
      maxConcurrency: 2,
    },
  },
  // Without coverage, which would take a third of their time.
  { resolve, test: { name: "explorations", include: explorations, maxWorkers: "100%" } },
  { test: { ...patient, name: "commands", include: ["test/commands/*.test.ts"] } },
  {
    test: {
      ...patient,
      name: "consumer",
      include: ["contracts/consumer/*.pact.test.ts"],
      globalSetup: "contracts/consumer/setup.ts",
      // Forks lose interactions.
      pool: "threads",
      // Several test files write one pact file: in parallel, interactions get lost.
      fileParallelism: false,
      // Isolated files would set up Pact's library again, which logs a warning.
      isolate: false,
    },
  },
  {
    test: {
      ...patient,
      name: "contracts",
      include: ["contracts/**/*.test.ts"],
      exclude: ["contracts/consumer/*.pact.test.ts"],
      pool: "threads",
      // These tests wait for processes most of the time.
      maxWorkers: 2,
    },
  },
  {
    resolve,
    // They wait for processes and the clock most of the time.
    test: { ...patient, name: "redis", include: ["test/redis/*.test.ts"], maxWorkers: 2 },
  },
  {
    test: {
      ...patient,
      name: "broker",
      include: ["contracts/broker/*.e2e.ts"],
      // Each file starts a broker, and the tests do not depend on the speed of a busy machine.
      fileParallelism: false,
    },
  },
  {
    // Each row starts a runtime once, in its set-up.
    test: { name: "runtimes", include: ["test/runtimes/*.e2e.ts"], hookTimeout: 120_000 },
  },
  {
    test: {
      ...patient,
      name: "browser",
      include: ["test/browser/*.e2e.ts"],
      globalSetup: "test/browser/setup.ts",
      // Each file has its own browser.
      maxWorkers: 2,
      // A hundred navigations take long.
      testTimeout: 180_000,
    },
  },
];

/** Quick tests of the core, for mutation testing. */
const core = [
  ...["bindings", "end-session", "ending", "ending-table", "endings", "events", "explore-found", "known"],
  ...["login", "options", "pending", "record", "renewal", "requests", "session", "state", "stores"],
  ...["tabs", "token-rule"],
];
/** With `MUTANTS=edges`: tests of the stores and of messages, which are slow because of a database and many samples. */
const edges = ["server-message", "store-kinds", "stores", "secure-store", "token-rule"];

/** The tests for Stryker, which reruns them for each mutant: no scripts, sandbox tests or processes. */
const mutants: TestProjectConfiguration = {
  resolve,
  test: {
    name: "mutants",
    // Otherwise most of the time goes into imports.
    isolate: false,
    include: (process.env["MUTANTS"] === "edges" ? edges : core).map((name) => `test/${name}.test.ts`),
  },
};

export default defineConfig({
  test: {
    coverage: {
      include: ["src/**/*.ts"],
      // Part of the command's tests run in child processes, which are not measured.
      exclude: ["src/generated/**", "src/cli.ts", "src/cli/**"],
      reporter: ["text-summary", "json-summary"],
      thresholds: { lines: 95, branches: 95 },
    },
    // Set by Stryker.
    projects: process.env["STRYKER_MUTATOR_WORKER"] === undefined ? projects : [mutants],
  },
});
