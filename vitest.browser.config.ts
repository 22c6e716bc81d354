import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "browser",
    include: ["test/browser/*.e2e.ts"],
    globalSetup: "test/browser/setup.ts",
    // Each file has a browser of its own.
    maxWorkers: 2,
    // A machine may be busy, and a hundred navigations take their time.
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
});
