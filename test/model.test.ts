/**
 * Random sequences, longer than the explorer's, in the same world and judged by the same oracle. Prints a counterexample
 * with its seed, shrunk. `MODEL_SEED=2 MODEL_RUNS=5000 npx vitest run --project explorations test/model.test.ts` tries
 * other sequences.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { play } from "./explore/explore.ts";
import { createWorld, type Settings } from "./explore/world.ts";
import { useVirtualTime } from "./virtual-time.ts";

useVirtualTime();

/** The same runs each time. The environment selects other or more runs. */
const SEED = Number(process.env["MODEL_SEED"] ?? 1);
const RUNS = Number(process.env["MODEL_RUNS"] ?? 300);

/** Important steps occur more often. */
const frequent = ["login as a", "start", "end", "renew", "land", "good", "hear", "deliver", "wait"];

const worlds: { name: string; settings: Settings; tabs: string[] }[] = [
  { name: "two tabs over one store", settings: {}, tabs: ["A", "B"] },
  { name: "two tabs, and endings that are retried", settings: { options: { retries: 2 } }, tabs: ["A", "B"] },
  { name: "two tabs that discard", settings: { options: { onUnconfirmed: "discard" } }, tabs: ["A", "B"] },
  { name: "one tab whose store answers by hand", settings: { isSlow: true }, tabs: ["A"] },
  { name: "one tab without a store", settings: { hasNoStore: true }, tabs: ["A"] },
];

it.each(worlds)("reports the truth to $name, at random", { timeout: 600_000 }, async ({ settings, tabs }) => {
  // The explorer covers two sessions with one token: a page that crashes between them restores the first.
  const names = Object.keys(createWorld(settings).steps).filter((name) => name !== "start twice");
  const step = fc
    .tuple(fc.oneof(fc.constantFrom(...names), fc.constantFrom(...frequent)), fc.constantFrom(...tabs))
    .map(([name, tab]) => `${name} ${tab}`);
  const sequences = fc.array(step, { minLength: 4, maxLength: 20, size: "max" });
  let played = 0;
  await fc.assert(
    fc.asyncProperty(sequences, async (steps) => {
      played++;
      const problem = await play(steps, settings);
      if (problem) throw new Error(problem);
    }),
    { numRuns: RUNS, seed: SEED },
  );
  expect(played).toBeGreaterThanOrEqual(RUNS);
});
