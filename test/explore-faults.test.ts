/**
 * Every sequence of a given number of steps of two tabs, played on real sessions over failing stores. Prints a
 * counterexample as its steps, the shortest first.
 */
import { expect, it } from "vitest";
import { faults } from "./explore/explorations.ts";
import { explore } from "./explore/explore.ts";
import { useVirtualTime } from "./virtual-time.ts";

useVirtualTime();

it.each(faults)("reports the truth of $name", { timeout: 6_000_000 }, async (exploration) => {
  const { found, played } = await explore(exploration);
  expect(found).toEqual([]);
  // Impossible steps only would explore nothing.
  expect(played).toBeGreaterThan(100);
});
