/**
 * Every sequence of so many steps of two tabs, played on real sessions over stores that fail. A counterexample is printed
 * as the steps that lead to it, the shortest first.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { useVirtualTime } from "./explore/clock.ts";
import { faults } from "./explore/explorations.ts";
import { explore } from "./explore/explore.ts";

let restore = () => {};
beforeAll(() => {
  restore = useVirtualTime();
});
afterAll(() => restore());

it.each(faults)("reports the truth of $name", { timeout: 6_000_000 }, async (exploration) => {
  const { found, played } = await explore(exploration);
  expect(found).toEqual([]);
  // Steps that are all impossible would explore nothing.
  expect(played).toBeGreaterThan(100);
});
