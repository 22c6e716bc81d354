/**
 * `npm run example`: builds the package, and serves the example page and a sandbox until Ctrl-C, on port 5173 or the next
 * free one. `-- --port 8080` selects another.
 */
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { portOf, runCommand } from "../contracts/command.ts";
import { serveExample } from "../examples/browser/serve.ts";

const root = resolve(import.meta.dirname, "..");

const help = `Usage: npm run example -- [--port <number>]

Builds the package, and serves the example page with a sandbox of its own until Ctrl-C.

  --port <number>  the port to listen on, 0 to 65535; default 5173, or the next free one
  --help           shows this text
`;

await runCommand({
  name: "example",
  help,
  options: { port: { type: "string" } },
  async run({ port = "5173" }) {
    const number = portOf(port);
    const build = ["run", "--silent", "build", "--", "--logLevel", "error"];
    const { status } = spawnSync("npm", build, { cwd: root, stdio: "inherit" });
    if (status !== 0) throw new Error("the package cannot be built.");
    const { url, close } = await serveExample(join(root, "dist", "index.js"), number);
    const stop = () => void close();
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    process.stdout.write(`\n  The example is at ${url}. Stop with Ctrl-C.\n\n`);
  },
});
