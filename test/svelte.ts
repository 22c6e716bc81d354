/** Compiles Svelte components for esbuild, for a page or a server. */
import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";
import { compile } from "svelte/compiler";

export const svelte = (generate: "client" | "server"): Plugin => ({
  name: "svelte",
  setup(build) {
    build.onLoad({ filter: /\.svelte$/ }, async ({ path: filename }) => {
      const { js, warnings } = compile(await readFile(filename, "utf8"), { filename, generate });
      return { contents: js.code, warnings: warnings.map(({ message }) => ({ text: message })) };
    });
  },
});
