import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "baanx-session": new URL("src/index.ts", import.meta.url).pathname } },
  test: {
    name: "redis",
    include: ["test/redis/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
