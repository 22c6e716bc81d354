/**
 * The documentation site. VitePress renders the Markdown where it is: the guides, the READMEs, and the API reference that TypeDoc
 * writes. The documents stay readable on GitHub, so this file makes the three differences: links to files lead to pages,
 * labelled blocks of code in a row become tabs, and Mermaid is drawn.
 */
import { join } from "node:path";
import { defineConfig, type MarkdownOptions } from "vitepress";
import { groupLabelledBlocks, labelCells } from "../blocks.ts";
import { addressOf, linkedPage, root } from "../pages.ts";
import { linkOf, sections, titleOf } from "../sections.ts";

const description =
  "Ends user sessions of the Baanx API, and never reports more than is known about their end.";

/** The mark of the example page. */
const icon =
  "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' rx='9' fill='%230e7c66'/><path d='M10 16.5l4.2 4.2L22.5 12' fill='none' stroke='white' stroke-width='3' stroke-linecap='round' stroke-linejoin='round'/></svg>";

const withDocuments: NonNullable<MarkdownOptions["config"]> = (markdown) => {
  markdown.core.ruler.push("documents", ({ tokens, env }) => {
    // TypeDoc names a page for its file, and the navigation for its import.
    const [heading] = tokens[1]?.children ?? [];
    if (heading && /\/docs\/api\//.test(env.realPath ?? env.path))
      heading.content = titleOf(env.relativePath) ?? heading.content;
    groupLabelledBlocks(tokens);
    labelCells(tokens);
    for (const token of tokens.flatMap((block) => block.children ?? [])) {
      const href = token.attrGet("href");
      if (token.type === "link_open" && href)
        token.attrSet("href", linkedPage(env.realPath ?? env.path, href));
    }
  });
  const { fence } = markdown.renderer.rules;
  markdown.renderer.rules.fence = (tokens, index, ...rest) => {
    const { info = "", content = "" } = tokens[index] ?? {};
    if (info === "mermaid") return `<Diagram source="${encodeURIComponent(content)}" />`;
    return fence?.(tokens, index, ...rest) ?? "";
  };
};

const guides = sections.find(({ text }) => text === "Guides")?.items?.map(({ link }) => link) ?? [];

export default defineConfig({
  title: "baanx-session",
  description,
  lang: "en",
  base: process.env["DOCS_BASE"] ?? "/",
  srcDir: root,
  srcExclude: ["{dist,coverage,release,test,contracts/broker/vendor}/**", "scripts/bench/**", "**/build/**"],
  rewrites: addressOf,
  cacheDir: join(root, "node_modules", ".cache", "vitepress"),
  head: [["link", { rel: "icon", href: icon }]],
  lastUpdated: false,
  markdown: {
    config: withDocuments,
    theme: { light: "github-light-high-contrast", dark: "github-dark-default" },
    languageAlias: { mjs: "js" },
  },
  vite: { publicDir: join(root, "docs", "images"), build: { chunkSizeWarningLimit: 5_000 } },
  buildEnd({ pages, rewrites }) {
    const made = pages.map((page) => linkOf(rewrites.map[page] ?? page));
    const listed = sections.flatMap(({ items = [] }) => items.map(({ link = "" }) => link));
    const missing = listed.filter((link) => !made.includes(link)).map((link) => `${link} is not a page`);
    const unlisted = made.filter((link) => !/^\/(source\/.*)?$/.test(link) && !listed.includes(link));
    const faults = [...missing, ...unlisted.map((link) => `${link} is not listed`)];
    if (faults.length > 0) throw new Error(`scripts/site/sections.ts: ${faults.join(", ")}.`);
  },
  themeConfig: {
    siteTitle: "baanx-session",
    outline: [2, 3],
    externalLinkIcon: true,
    search: { provider: "local", options: { detailedView: true } },
    nav: [
      { text: "Start", link: "/start" },
      { text: "Guides", link: "/oauth", activeMatch: `^(${guides.join("|")})` },
      { text: "API", link: "/api/", activeMatch: "^/api/" },
      { text: "Specification", link: "/specification" },
    ],
    sidebar: sections,
    footer: { message: "Independent work, not published by Baanx. MIT licence." },
  },
});
