/** What a bundler makes of code for a web page, and its weight there. What is weighed is up to the callers. */
import { gzipSync } from "node:zlib";
import { build, type Metafile } from "esbuild";

/**
 * @param contents - a module
 * @param resolveDir - the folder that it imports from
 * @returns bytes, minified and gzipped, and what they are made of
 */
export async function webBundle(
  contents: string,
  resolveDir: string,
): Promise<{ size: number; metafile: Metafile }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    // What the application brings along.
    external: ["react"],
    write: false,
    metafile: true,
    logLevel: "error",
  });
  return { size: gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length, metafile };
}
