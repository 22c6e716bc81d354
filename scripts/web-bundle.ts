/** Bundles code for a web page, and measures its size. */
import { gzipSync } from "node:zlib";
import { build, type Metafile } from "esbuild";

/**
 * @param contents - a module
 * @param resolveDir - the folder that it imports from
 * @returns minified and gzipped bytes, and their sources
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
    // Provided by the application.
    external: ["react"],
    write: false,
    metafile: true,
    logLevel: "error",
  });
  return { size: gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length, metafile };
}
