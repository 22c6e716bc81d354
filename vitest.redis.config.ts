import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: {
    alias: [
      { find: /^baanx-session$/, replacement: new URL("src/index.ts", import.meta.url).pathname },
      {
        find: /^baanx-session\/redis$/,
        replacement: new URL("src/stores/redis.ts", import.meta.url).pathname,
      },
    ],
  },
  test: {
    name: "redis",
    include: ["test/redis/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
