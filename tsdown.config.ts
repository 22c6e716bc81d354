/**
 * The build. The package is one ES module for every runtime, without openapi-fetch. The command and the sandbox run in
 * Node only, and bundle their dependencies, so that users need not install them.
 */
import { defineConfig, type UserConfig } from "tsdown";
import { bundled } from "./scripts/bundled.ts";

const shared = {
  format: "esm",
  target: "es2022",
  // With embedded sources, because the package does not contain them.
  sourcemap: true,
} as const;

/** The adapters to a store or a framework. Each is one file that imports only types of the core. */
const adapters = {
  redis: "src/stores/redis.ts",
  postgres: "src/stores/postgres.ts",
  unstorage: "src/stores/unstorage.ts",
  react: "src/react.ts",
};

export default defineConfig([
  // A separate build for each, so that they do not share files.
  ...Object.entries({ index: "src/index.ts", ...adapters }).map(
    ([name, file]): UserConfig => ({
      ...shared,
      entry: { [name]: file },
      platform: "neutral",
      dts: false,
      // Next.js allows hooks in server components only from files with this directive.
      ...(name === "react" && { banner: { js: '"use client";' } }),
      deps: { neverBundle: ["openapi-fetch", "react"] },
    }),
  ),
  {
    ...shared,
    entry: { cli: "src/cli.ts", sandbox: "src/sandbox/index.ts" },
    platform: "node",
    fixedExtension: false,
    dts: false,
    deps: {
      neverBundle: ["openapi-fetch"],
      // A fixed list, so that nothing else is bundled unnoticed.
      onlyBundle: bundled,
    },
  },
  {
    ...shared,
    // Separate builds, because a joint build would add maps that point outside of the package.
    entry: { index: "src/index.ts", sandbox: "src/sandbox/index.ts", ...adapters },
    platform: "neutral",
    sourcemap: false,
    // For `Symbol.dispose`, which older TypeScript libraries lack.
    banner: { dts: '/// <reference lib="esnext.disposable" />' },
    dts: { emitDtsOnly: true },
    deps: { neverBundle: ["openapi-fetch", "react", /^node:/], onlyBundle: bundled },
  },
]);
