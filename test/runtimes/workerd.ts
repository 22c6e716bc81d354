/** Runs the scenario in a worker of Cloudflare's runtime. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { BuiltPackage } from "../built.ts";
import { bundle } from "../bundle.ts";
import type { Ran } from "./runtimes.ts";
import type { Settings } from "./scenario.ts";

/** The parts used of miniflare, which is installed separately. */
interface Miniflare {
  dispatchFetch(url: string): Promise<Response>;
  dispose(): Promise<void>;
}
type MiniflareModule = { Miniflare: new (options: Record<string, unknown>) => Miniflare };

/** Creates the scenario's sessions at module scope. */
const worker = (date: string) => `import { run } from "./runtimes/scenario.ts";
  export default {
    async fetch() {
      const name = typeof HTMLRewriter === "function" ? "workerd" : "something else";
      return new Response(JSON.stringify({ version: name + " of ${date}", outcome: await run() }));
    },
  };`;

export async function runInWorkerd(
  modules: string,
  compatibilityDate: string,
  built: BuiltPackage,
  settings: Settings,
): Promise<Ran> {
  const script = await bundle(worker(compatibilityDate), settings, built);
  const { Miniflare }: MiniflareModule = await import(
    pathToFileURL(join(modules, "miniflare", "dist", "src", "index.js")).href
  );
  const miniflare = new Miniflare({
    modules: true,
    script,
    compatibilityDate,
    host: "127.0.0.1",
    // Otherwise it would be downloaded.
    cf: false,
  });
  try {
    const response = await miniflare.dispatchFetch("http://127.0.0.1/");
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return JSON.parse(text);
  } finally {
    await miniflare.dispose();
  }
}
