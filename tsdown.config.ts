/** The build: one ES module and its types for every runtime. What comes from npm stays outside of it. */
import { defineConfig } from "tsdown";

export default defineConfig({
  entry: "src/index.ts",
  format: "esm",
  platform: "neutral",
  target: "es2022",
  dts: true,
  // With the sources in it, since they are not in the package.
  sourcemap: true,
  deps: { neverBundle: ["openapi-fetch"] },
});
