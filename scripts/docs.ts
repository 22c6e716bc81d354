/**
 * `npm run docs`: makes `docs/api` from the TSDoc of the public names and from the specification, and in `docs/site` a site of
 * all documents. With `-- --check` it writes neither, and fails if `docs/api` is out of date or the site cannot be made; a dead
 * link is a reason. The renderers are TypeDoc and VitePress.
 */
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { runCommand } from "../contracts/command.ts";
import { specificationAsMarkdown } from "./site/specification.ts";

const root = resolve(import.meta.dirname, "..");
const api = join(root, "docs", "api");
const toolOf = (name: string) => join(root, "node_modules", ".bin", name);

const help = `Usage: npm run docs -- [--check | --serve]

Makes docs/api from the TSDoc of the public names and from the specification, and in docs/site a site
of all documents. DOCS_BASE is the path at which the site is published: / by default.

  --check  writes nothing; fails if docs/api is out of date or the site cannot be made
  --serve  shows the site on a port of this machine, and follows changes of the documents; ends with Ctrl-C
  --help   shows this text

Exit codes: 0 done, 1 out of date or not made, 2 wrong usage.
`;

await runCommand({
  name: "docs",
  help,
  options: { check: { type: "boolean" }, serve: { type: "boolean" } },
  async run({ check, serve }) {
    if (serve) {
      await once(
        spawn(toolOf("vitepress"), ["dev", "scripts/site"], { cwd: root, stdio: "inherit" }),
        "close",
      );
      return [];
    }
    const made = mkdtempSync(join(tmpdir(), "docs-"));
    try {
      const site = join(made, "site");
      if (check) {
        await Promise.all([
          makeApi(join(made, "api")),
          run("vitepress", "build", "scripts/site", "--outDir", site),
        ]);
        const compare = ["diff", "--no-index", "--stat", api, join(made, "api")];
        const { status } = spawnSync("git", compare, { stdio: "inherit" });
        return status === 0 ? [] : ["docs/api is out of date: `npm run docs` makes it again."];
      }
      await makeApi(join(made, "api"));
      rmSync(api, { recursive: true, force: true });
      cpSync(join(made, "api"), api, { recursive: true });
      await run("vitepress", "build", "scripts/site", "--outDir", join(root, "docs", "site"));
      process.stdout.write("docs/api/README.md\ndocs/site/index.html\n");
      return [];
    } finally {
      rmSync(made, { recursive: true });
    }
  },
});

async function makeApi(folder: string): Promise<void> {
  await run("typedoc", "--options", "typedoc.json", "--out", folder);
  writeFileSync(join(folder, "specification.md"), specificationAsMarkdown());
}

/** @throws Error when the command fails, after its output */
async function run(command: string, ...args: string[]): Promise<void> {
  try {
    await promisify(execFile)(toolOf(command), args, { cwd: root });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    process.stderr.write(`${stdout}${stderr}`);
    throw new Error(`${command} failed`);
  }
}
