/**
 * Every sequence of a given number of steps of two tabs, played on real sessions over a working store. Prints a
 * counterexample as its steps, the shortest first.
 */
import { expect, it } from "vitest";
import { orders } from "./explore/explorations.ts";
import { explore } from "./explore/explore.ts";
import { useVirtualTime } from "./virtual-time.ts";

useVirtualTime();

it.each(orders)("reports the truth to $name, in any order", { timeout: 6_000_000 }, async (exploration) => {
  const { found, played } = await explore(exploration);
  expect(found).toEqual([]);
  // Impossible steps only would explore nothing.
  expect(played).toBeGreaterThan(100);
});
