import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // In forks, interactions are lost.
    pool: "threads",
    // What starts processes takes its time on a busy machine; nothing waits for a time to pass.
    testTimeout: 120_000,
    maxConcurrency: 2,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: "consumer",
          include: ["contracts/consumer/*.pact.test.ts"],
          globalSetup: "contracts/consumer/setup.ts",
          // One pact file is written by several test files: side by side, interactions are lost.
          fileParallelism: false,
          // With a module graph for each file, Pact's library is set up again and complains of it.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: "provider",
          include: ["contracts/**/*.test.ts"],
          exclude: ["contracts/consumer/*.pact.test.ts"],
          // They wait for processes most of the time.
          maxWorkers: 2,
        },
      },
    ],
  },
});
