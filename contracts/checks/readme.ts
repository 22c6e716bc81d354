/** Compares the README's tables, which the provider's team uses, with the pact file. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { evidenceOf, type PactFile } from "../pact-file.ts";
import { states } from "../states.ts";

const readme = fileURLToPath(new URL("../README.md", import.meta.url));

export const readReadme = (): Promise<string> => readFile(readme, "utf8");

/** Returns the differences between README and pact file, one line each. */
export function compareReadme(pact: PactFile, text: string): string[] {
  const told = rowsOf(text, "Interaction").map((cells) => cells.slice(0, 5));
  const recorded = pact.interactions.map((interaction) => {
    const { description, request, response, providerStates } = interaction;
    const state = providerStates.map(({ name }) => name).join(", ");
    return [
      description,
      `${request.method} ${request.path}`,
      state,
      String(response.status),
      evidenceOf(interaction),
    ];
  });
  const stated = Object.entries(states).map(([name, { values }]) => [
    name,
    code(["region"]),
    code(Object.keys(values)),
  ]);
  return [
    ...differences("README.md tells otherwise of the interaction", recorded, told),
    ...differences("README.md tells otherwise of the state", stated, rowsOf(text, "State")),
  ];
}

function differences(what: string, left: unknown[][], right: unknown[][]): string[] {
  const missing = (from: unknown[][], rows: unknown[][]) =>
    from.filter((row) => !rows.some((other) => isDeepStrictEqual(row, other)));
  const names = [...missing(left, right), ...missing(right, left)].map(([name]) => String(name));
  const repeated = left.length === right.length || names.length > 0 ? [] : ["that is there twice"];
  return [...new Set([...names, ...repeated])].map((name) => `${what} ${name}`);
}

/** Returns the cells of the table whose first column has this heading. */
function rowsOf(text: string, heading: string): string[][] {
  const lines = text.split("\n");
  const begin = lines.findIndex((line) => line.startsWith(`| ${heading} |`)) + 2;
  const end = lines.findIndex((line, index) => index >= begin && !line.startsWith("|"));
  return lines.slice(begin, end).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const code = (names: string[]): string => names.map((name) => `\`${name}\``).join(", ");
