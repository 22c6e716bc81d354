import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    coverage: {
      include: ["src/**/*.ts"],
      // The command is tested as processes of its own, which are not measured.
      exclude: ["src/generated/**", "src/cli.ts", "src/cli/**"],
      reporter: ["text-summary", "json-summary"],
      thresholds: { lines: 95, branches: 95 },
    },
    projects: [
      {
        test: {
          name: "unit",
          // The folders below it are suites of their own, which need more than Node and npm.
          include: ["test/*.test.ts"],
          typecheck: { enabled: true, include: ["test/*.test-d.ts"], tsconfig: "tsconfig.json" },
        },
      },
      {
        test: {
          name: "commands",
          include: ["test/commands/*.test.ts"],
          // Some build the package, which takes its time.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
