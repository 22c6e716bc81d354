/**
 * The tests, a project for each kind. `unit`, `commands`, `consumer` and `contracts` need Node and npm only; the others
 * need what their names say.
 */
import { defineConfig, type TestProjectConfiguration } from "vitest/config";

/** For what starts processes, builds or waits for a browser, on a machine that may be busy. */
const patient = { testTimeout: 120_000, hookTimeout: 120_000, maxConcurrency: 2 } as const;
const pathOf = (relative: string) => new URL(relative, import.meta.url).pathname;
/** Examples import the package by its name; here it is the sources. */
const resolve = {
  alias: [
    { find: /^baanx-session$/, replacement: pathOf("src/index.ts") },
    { find: /^baanx-session\/redis$/, replacement: pathOf("src/stores/redis.ts") },
  ],
};

/** Play the session in thousands of orders. */
const explorations = ["explore", "explore-faults", "model", "torture", "memory"].map(
  (name) => `test/${name}.test.ts`,
);

const projects: TestProjectConfiguration[] = [
  {
    resolve,
    test: {
      name: "unit",
      // The folders below it are projects of their own.
      include: ["test/*.test.ts"],
      exclude: explorations,
      // All cores: vitest would leave one of two free.
      maxWorkers: "100%",
      maxConcurrency: 2,
      typecheck: { enabled: true, include: ["test/*.test-d.ts"], tsconfig: "tsconfig.json" },
    },
  },
  // With its own run: measuring the coverage would take a third of their time.
  { resolve, test: { name: "explorations", include: explorations, maxWorkers: "100%" } },
  { test: { ...patient, name: "commands", include: ["test/commands/*.test.ts"] } },
  {
    test: {
      ...patient,
      name: "consumer",
      include: ["contracts/consumer/*.pact.test.ts"],
      globalSetup: "contracts/consumer/setup.ts",
      // In forks, interactions are lost.
      pool: "threads",
      // One pact file is written by several test files: side by side, interactions are lost.
      fileParallelism: false,
      // With a module graph for each file, Pact's library is set up again and complains of it.
      // Stryker runs the files again for each mutant, and most of that would be their imports.
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
      // They wait for processes most of the time.
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
      // Each starts a broker, and what they measure is not how fast a busy machine is.
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
      // Each file has a browser of its own.
      maxWorkers: 2,
      // A hundred navigations take their time.
      testTimeout: 180_000,
    },
  },
];

/** The quick tests of `src/`, which kill its mutants: no scripts, no sandbox, no whole processes. */
const mutants: TestProjectConfiguration = {
  resolve,
  test: {
    name: "mutants",
    // Stryker runs the files again for each mutant, and most of that would be their imports.
    isolate: false,
    // Instrumented properties are slow; a mutant that hangs is ended by Stryker.
    testTimeout: 60_000,
    include: [
      ...[
        "bindings",
        "end-session",
        "ending",
        "ending-table",
        "events",
        "explore-found",
        "known",
        "login",
        "options",
      ],
      ...[
        "pending",
        "record",
        "renewal",
        "requests",
        "server-message",
        "store-kinds",
        "stores",
        "tabs",
        "token-rule",
      ],
    ].map((name) => `test/${name}.test.ts`),
  },
};

export default defineConfig({
  test: {
    coverage: {
      include: ["src/**/*.ts"],
      // The command is tested in part as processes of its own, which are not measured.
      exclude: ["src/generated/**", "src/cli.ts", "src/cli/**"],
      reporter: ["text-summary", "json-summary"],
      thresholds: { lines: 95, branches: 95 },
    },
    // Set by Stryker.
    projects: process.env["STRYKER_MUTATOR_WORKER"] === undefined ? projects : [mutants],
  },
});
