/**
 * Every sequence of so many steps of two tabs, played on real sessions over a store that works. A counterexample is printed
 * as the steps that lead to it, the shortest first.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { useVirtualTime } from "./explore/clock.ts";
import { orders } from "./explore/explorations.ts";
import { explore } from "./explore/explore.ts";

let restore = () => {};
beforeAll(() => {
  restore = useVirtualTime();
});
afterAll(() => restore());

it.each(orders)("reports the truth to $name, in any order", { timeout: 6_000_000 }, async (exploration) => {
  const { found, played } = await explore(exploration);
  expect(found).toEqual([]);
  // Steps that are all impossible would explore nothing.
  expect(played).toBeGreaterThan(100);
});
