import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "broker",
    include: ["contracts/broker/*.e2e.ts"],
    // Each starts a broker, and what they measure is not how fast a busy machine is.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
