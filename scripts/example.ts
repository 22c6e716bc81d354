/**
 * `npm run example`: builds the package, and serves the example page with a sandbox of its own until Ctrl-C, on port
 * 5173 or the next free one; `-- --port 8080` names another.
 */
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { firstLine } from "../contracts/message.ts";
import { serveExample } from "../examples/browser/serve.ts";

const root = resolve(import.meta.dirname, "..");

process.exitCode = await main();

async function main(): Promise<number> {
  const port = portOf(process.argv.slice(2));
  if (port === undefined) {
    process.stderr.write("example: Usage: npm run example [-- --port <0 to 65535>]\n");
    return 2;
  }
  const { status } = spawnSync("npm", ["run", "--silent", "build", "--", "--logLevel", "error"], {
    cwd: root,
    stdio: "inherit",
  });
  if (status !== 0) return 1;
  try {
    const { url, close } = await serveExample(join(root, "dist", "index.js"), port);
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

/** Undefined where the arguments are wrong. */
function portOf(args: string[]): number | undefined {
  try {
    const { values } = parseArgs({ args, options: { port: { type: "string", default: "5173" } } });
    const port = /^\d{1,5}$/.test(values.port) ? Number(values.port) : 65_536;
    return port > 65_535 ? undefined : port;
  } catch {
    return undefined;
  }
}
