/** Changes the blocks of a page where Markdown lacks words: tabs, and tables on a phone. */
import type { MarkdownRenderer } from "vitepress";

type Token = Parameters<MarkdownRenderer["renderer"]["render"]>[0][number];

/**
 * Makes tabs of labelled blocks of code in a row: ` ```sh [npm] ` and ` ```sh [pnpm] ` become two tabs of one group. On
 * GitHub they are two blocks.
 */
export function groupLabelledBlocks(tokens: Token[]): void {
  const isLabelled = (token?: Token) => token?.type === "fence" && / \[.+\]$/.test(token.info);
  for (let start = 0; start < tokens.length; start++) {
    const first = tokens[start];
    if (!first || !isLabelled(first)) continue;
    let end = start;
    while (isLabelled(tokens[end])) end++;
    const border = (kind: "open" | "close", nesting: 1 | -1): Token =>
      Object.assign(Object.create(Object.getPrototypeOf(first)), first, {
        type: `container_code-group_${kind}`,
        tag: "div",
        info: "code-group",
        content: "",
        nesting,
      });
    tokens.splice(end, 0, border("close", -1));
    tokens.splice(start, 0, border("open", 1));
    start = end + 1;
  }
}

/** Gives each cell the heading of its column, which a phone shows beside it (`theme.css`). */
export function labelCells(tokens: Token[]): void {
  let headings: string[] = [];
  let column = 0;
  for (const [index, token] of tokens.entries()) {
    if (token.type === "table_open") headings = [];
    if (token.type === "tr_open") column = 0;
    const text = tokens[index + 1]?.content.replaceAll(/[`*]/g, "") ?? "";
    if (token.type === "th_open") headings.push(text);
    if (token.type === "td_open") token.attrSet("data-label", headings[column++] ?? "");
  }
}
