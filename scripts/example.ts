/** `npm run example`: builds the package, and serves the example page with a sandbox of its own until Ctrl-C. */
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { serveExample } from "../examples/browser/serve.ts";
import { firstLine } from "./message.ts";

const root = resolve(import.meta.dirname, "..");

process.exitCode = await main();

async function main(): Promise<number> {
  const { status } = spawnSync("npm", ["run", "--silent", "build", "--", "--logLevel", "error"], {
    cwd: root,
    stdio: "inherit",
  });
  if (status !== 0) return 1;
  try {
    const { url, close } = await serveExample(join(root, "dist", "index.js"), 5173);
    const stop = () => void close();
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    process.stdout.write(`\n  The example is at ${url}. Stop with Ctrl-C.\n\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`example: ${firstLine(error)}\n`);
    return 1;
  }
}
