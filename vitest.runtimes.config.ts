import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "runtimes",
    include: ["test/runtimes/*.e2e.ts"],
    // Each row starts a runtime once, in its set-up.
    hookTimeout: 120_000,
  },
});
