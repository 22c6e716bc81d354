import { fileURLToPath } from "node:url";
import { sveltekit } from "@sveltejs/kit/vite";
import { defineConfig } from "vite";

// The package as this repository builds it. Where it is installed, the alias goes.
const built = process.env["BAANX_SESSION"] ?? fileURLToPath(new URL("../../dist/index.js", import.meta.url));

export default defineConfig({
  plugins: [sveltekit()],
  resolve: { alias: { "baanx-session": built } },
  ssr: { noExternal: true },
});
