/** All scenarios, and the only table of the engines that play them. */
import type { EngineName } from "./engines/engine.ts";
import { components } from "./scenarios/components.ts";
import { example } from "./scenarios/example.ts";
import { navigation } from "./scenarios/navigation.ts";
import { network } from "./scenarios/network.ts";
import { renewal } from "./scenarios/renewal.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { storage } from "./scenarios/storage.ts";
import { tabs } from "./scenarios/tabs.ts";

export const scenarios: readonly Scenario[] = [
  ...tabs,
  ...navigation,
  ...renewal,
  ...network,
  ...storage,
  ...components,
  ...example,
];

const engines: readonly EngineName[] = ["Chromium", "Firefox", "WebKit"];

/** Formats the scenarios by engine as Markdown, with the reason if one is not played. */
export function tableOf(all: readonly Scenario[]): string {
  const rows = all.map(({ name, not = {} }) => [name, ...engines.map((engine) => not[engine] ?? "✓")]);
  return [["Scenario", ...engines], ["---", "---", "---", "---"], ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}
