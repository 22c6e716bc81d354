/**
 * `npm run docs`: generates `docs/api` from the TSDoc of the public names, and `docs/site`, a site of all documents, the
 * API and the specification. With `-- --check` it writes nothing, and fails if `docs/api` is out of date or the site has
 * an error, such as a dead link. The renderers are TypeDoc and Redocly.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runCommand } from "../contracts/command.ts";

const root = resolve(import.meta.dirname, "..");
const docs = join(root, "docs");

const help = `Usage: npm run docs -- [--check]

Makes docs/api from the TSDoc of the public names, and in docs/site a site of all documents,
the API and the specification.

  --check  writes nothing; fails when docs/api is out of date or the site cannot be made
  --help   shows this text

Exit codes: 0 done, 1 out of date or not made, 2 wrong usage.
`;

await runCommand({
  name: "docs",
  help,
  options: { check: { type: "boolean" } },
  async run({ check }) {
    const made = mkdtempSync(join(tmpdir(), "docs-"));
    try {
      await Promise.all([
        run("typedoc", "--options", "typedoc.json", "--out", join(made, "api")),
        makeSite(join(made, "site")),
      ]);
      if (check) {
        const isSame = textsOf(join(made, "api")) === textsOf(join(docs, "api"));
        return isSame ? [] : ["docs/api is out of date: `npm run docs` makes it anew."];
      }
      for (const folder of ["api", "site"]) {
        rmSync(join(docs, folder), { recursive: true, force: true });
        cpSync(join(made, folder), join(docs, folder), { recursive: true });
      }
      process.stdout.write("docs/api/README.md\ndocs/site/index.html\n");
      return [];
    } finally {
      rmSync(made, { recursive: true });
    }
  },
});

/** Renders the site, which loads nothing from other hosts and works offline. */
async function makeSite(folder: string): Promise<void> {
  const typedoc = join(root, "node_modules", "typedoc", "bin", "typedoc");
  // With tsx, because the plugin is TypeScript.
  await run("tsx", typedoc, "--options", "scripts/site/typedoc.json", "--html", folder);
  const mermaid = join(root, "node_modules", "@mermaid-js", "tiny", "dist", "mermaid.tiny.js");
  copyFileSync(mermaid, join(folder, "assets", "mermaid.js"));
  const options = ["--config", "openapi/redocly.yaml", "--template", "openapi/page.hbs", "--inlineBundle"];
  const page = join(folder, "specification.html");
  await run("redocly", "build-docs", "openapi/baanx-auth.openapi.yaml", ...options, "--output", page);
}

/** @throws Error with the output if the command fails */
async function run(command: string, ...args: string[]): Promise<void> {
  const child = spawn(join(root, "node_modules", ".bin", command), args, {
    cwd: root,
    // Redocly copies this setting into the page.
    env: { ...process.env, REDOCLY_TELEMETRY: "off" },
  });
  let said = "";
  const hear = (text: string) => {
    said += text;
  };
  child.stdout.setEncoding("utf8").on("data", hear);
  child.stderr.setEncoding("utf8").on("data", hear);
  const [status] = await once(child, "close");
  if (status === 0) return;
  process.stderr.write(said);
  throw new Error(`${command} failed`);
}

/** Joins all files of a folder into one string. */
function textsOf(folder: string): string {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .sort()
      .filter((name) => name.endsWith(".md"))
      .map((name) => `${name}\n${readFileSync(join(folder, name), "utf8")}`)
      .join("\n");
  } catch {
    return "";
  }
}
