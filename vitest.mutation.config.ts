import { defineConfig } from "vitest/config";

/** What can tell a mutant of `src/` from the original, and is quick: `npm run test:mutation`. */
export default defineConfig({
  test: {
    include: ["test/*.test.ts"],
    // Scripts, the sandbox and whole processes.
    exclude: ["codegen", "demo", "package", "release", "sandbox", "documents", "tally", "memory", "cli*"].map(
      (name) => `test/${name}*.test.ts`,
    ),
    env: { MODEL_RUNS: "60" },
  },
});
