/** All documents in Markdown: what they link to within the repository is there, and their TypeScript compiles. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, it, vi } from "vitest";
import { blocksOf, problemsOf } from "./compile.ts";

const root = resolve(import.meta.dirname, "..");

vi.setConfig({ testTimeout: 60_000 });

const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
  cwd: root,
  encoding: "utf8",
});
const documents = listed.split("\n").filter((name) => name && existsSync(join(root, name)));

/** Without its code, in which brackets are no links. */
function proseOf(name: string): string {
  return readFileSync(join(root, name), "utf8").replace(/^(```+).*?^\1$|`[^`\n]*`/gms, (code) =>
    code.startsWith("```") ? "" : code.replaceAll(/[[\]()]/g, ""),
  );
}

/** The anchors of a document, as GitHub makes them of its headings, and those that it sets itself. */
function anchorsOf(name: string): Set<string> {
  const counts = new Map<string, number>();
  const prose = proseOf(name);
  const headings = [...prose.matchAll(/^#{1,6} (.*)$/gm)].map(([, heading = ""]) => {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(/\s/g, "-");
    const count = counts.get(slug) ?? 0;
    counts.set(slug, count + 1);
    return count ? `${slug}-${count}` : slug;
  });
  return new Set([...headings, ...[...prose.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, id = ""]) => id)]);
}

/** The links of a document that lead to nothing. */
function broken(name: string): string[] {
  const links = [...proseOf(name).matchAll(/\]\(<?([^)\s>]+)>?\)|(?:src|srcset|href)="([^"]+)"/g)].map(
    ([, inline, attribute]) => inline ?? attribute ?? "",
  );
  return links.filter((link) => {
    if (/^(https?|mailto):/.test(link)) return false;
    const [path = "", anchor] = link.split("#");
    const target = path ? join(dirname(name), path) : name;
    if (!existsSync(join(root, target))) return true;
    return anchor !== undefined && target.endsWith(".md") && !anchorsOf(target).has(anchor);
  });
}

it("are there to be checked", () => {
  expect(documents).toEqual(expect.arrayContaining(["README.md", "docs/concepts.md", "docs/api/README.md"]));
});

it.each(documents)("%s links to what is there", (name) => {
  expect(broken(name)).toEqual([]);
});

const withCode = ["docs/recipes.md", "docs/security.md", "docs/concepts.md", "examples/migrate.md"];

it("have code that compiles", () => {
  const codes = withCode.flatMap((name) => blocksOf(readFileSync(join(root, name), "utf8")));
  expect(codes.length).toBeGreaterThan(5);
  expect(problemsOf("document", codes)).toEqual([]);
});
