/**
 * The build. The package is one ES module for every runtime, and openapi-fetch stays outside of it. The command
 * and the sandbox run in Node only, and bring along what they need, so that whoever installs the package does not.
 */
import { defineConfig, type UserConfig } from "tsdown";
import { bundled } from "./scripts/bundled.ts";

const shared = {
  format: "esm",
  target: "es2022",
  // With the sources in it, since they are not in the package.
  sourcemap: true,
} as const;

/** The adapters to one store or one framework: a file each, which imports only types of the core. */
const adapters = {
  redis: "src/stores/redis.ts",
  postgres: "src/stores/postgres.ts",
  unstorage: "src/stores/unstorage.ts",
  react: "src/react.ts",
};

export default defineConfig([
  // A build for each, so that none shares a file with another.
  ...Object.entries({ index: "src/index.ts", ...adapters }).map(
    ([name, file]): UserConfig => ({
      ...shared,
      entry: { [name]: file },
      platform: "neutral",
      dts: false,
      // A server component of Next.js may import a hook only from a file that says so.
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
      // These and no others, so that nothing comes along unnoticed.
      onlyBundle: bundled,
    },
  },
  {
    ...shared,
    // On their own, since each file would name a map otherwise that leads to sources outside of the package.
    entry: { index: "src/index.ts", sandbox: "src/sandbox/index.ts", ...adapters },
    platform: "neutral",
    sourcemap: false,
    // For `Symbol.dispose`, which the older libraries of the compiler lack.
    banner: { dts: '/// <reference lib="esnext.disposable" />' },
    dts: { emitDtsOnly: true },
    deps: { neverBundle: ["openapi-fetch", "react", /^node:/], onlyBundle: bundled },
  },
]);
