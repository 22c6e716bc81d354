/** The addresses of the site: which document is which page, and where a link between files leads. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "..", "..");

/** Documents whose address is not their path. */
const addresses: Readonly<Record<string, string>> = {
  "README.md": "start.md",
  "CONTRIBUTING.md": "contributing.md",
  "CHANGELOG.md": "changelog.md",
  "SECURITY.md": "security-policy.md",
  "docs/api/README.md": "api/index.md",
  "docs/api/index.md": "api/baanx-session.md",
  "docs/api/specification.md": "specification.md",
};

/**
 * Returns the address of a document: `docs/concepts.md` is at `/concepts`, a README has the address of its folder.
 *
 * @param file - its path in the repository
 */
export function addressOf(file: string): string {
  return addresses[file] ?? file.replace(/^(docs|scripts\/site)\//, "").replace(/\/README\.md$/, ".md");
}

/**
 * Returns where a link of a document leads on the site.
 *
 * @param document - the absolute path of the document
 * @param href - the link as it is written
 * @throws Error if the file does not exist
 */
export function linkedPage(document: string, href: string): string {
  const [, path = "", anchor = ""] = /^([^#]*)(#.*)?$/.exec(href) ?? [];
  if (path === "" || /^(\/|[a-z]+:)/.test(path)) return href;
  const file = fileOf(document, path);
  if (!file) throw new Error(`${document}: the link ${href} leads to no file`);
  return file.endsWith(".md") ? `/${addressOf(file)}${anchor}` : `/source/${file}.md`;
}

/** Returns the files, other than documents, to which a document links: each has a page with its text. */
export function linkedFiles(): string[] {
  const documents = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.md"], {
    cwd: root,
    encoding: "utf8",
  });
  const links = documents
    .trim()
    .split("\n")
    .filter((document) => existsSync(join(root, document)))
    .flatMap((document) => {
      const hrefs = readFileSync(join(root, document), "utf8").matchAll(/\]\(([^()#\s]+)\)/g);
      return [...hrefs].map(([, href = ""]) => fileOf(join(root, document), href) ?? "");
    });
  return [...new Set(links)].filter((file) => file !== "" && !/\.(md|png)$/.test(file));
}

function fileOf(document: string, path: string): string | undefined {
  const file = resolve(dirname(document), path);
  if (!existsSync(file)) return undefined;
  return relative(root, statSync(file).isDirectory() ? join(file, "README.md") : file);
}
