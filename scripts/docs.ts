/**
 * `npm run docs`: makes `docs/api` from the TSDoc of the public names, and a page of the specification. With
 * `-- --check` it writes neither, and fails where `docs/api` is out of date. The renderers are TypeDoc and Redocly.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { firstSentence } from "../contracts/message.ts";

const root = resolve(import.meta.dirname, "..");
const api = join(root, "docs", "api");
const page = join(root, "docs", "site", "specification.html");

process.exitCode = main();

function main(): number {
  const made = mkdtempSync(join(tmpdir(), "docs-"));
  try {
    const { values } = parseArgs({ options: { check: { type: "boolean" } } });
    run("typedoc", ["--options", "typedoc.json", "--out", join(made, "api")]);
    const { check = false } = values;
    const isSame = textsOf(join(made, "api")) === textsOf(api);
    makePage(check ? join(made, "specification.html") : page);
    if (check) {
      process.stdout.write(isSame ? "docs/api is up to date.\n" : "docs/api is out of date: npm run docs\n");
      return isSame ? 0 : 1;
    }
    rmSync(api, { recursive: true, force: true });
    cpSync(join(made, "api"), api, { recursive: true });
    process.stdout.write("docs/api/README.md\ndocs/site/specification.html\n");
    return 0;
  } catch (error) {
    process.stderr.write(`docs: ${firstSentence(error)}\n`);
    return 1;
  } finally {
    rmSync(made, { recursive: true });
  }
}

/** With everything in it: it is read without a network, too. */
function makePage(output: string): void {
  const [specification, config, template] = ["baanx-auth.openapi.yaml", "redocly.yaml", "page.hbs"].map(
    (name) => join(root, "openapi", name),
  );
  const options = ["--config", config ?? "", "--template", template ?? "", "--output", output];
  run("redocly", ["build-docs", specification ?? "", "--inlineBundle", ...options]);
}

/** @throws Error when the command fails, which has said why by then */
function run(command: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(join(root, "node_modules", ".bin", command), args, {
    cwd: root,
    encoding: "utf8",
    // Redocly takes it over into the page.
    env: { ...process.env, REDOCLY_TELEMETRY: "off" },
  });
  if (status === 0) return;
  process.stderr.write(`${stdout}${stderr}`);
  throw new Error(`${command} failed`);
}

/** All files of a folder, as one text. */
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
