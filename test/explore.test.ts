/**
 * Every sequence of so many steps of two tabs over one store, played over the real ledger and sync. A counterexample is
 * printed as the steps that lead to it, the shortest first.
 */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createWorld } from "./explore-world.ts";

type World = ReturnType<typeof createWorld>;
type Step = [name: string, run: (world: World) => unknown];

const of = (index: number): Step[] => {
  const tab = "AB"[index];
  return [
    [`start ${tab}`, ({ steps }) => steps.start(index)],
    [`login ${tab}`, ({ steps }) => steps.start(index, "login")],
    [`start ${tab} as another`, ({ steps }) => steps.start(index, "oauth", "b")],
    [`end ${tab}`, ({ steps }) => steps.end(index)],
    [`good answer ${tab}`, ({ steps }) => steps.answer(index, true)],
    [`bad answer ${tab}`, ({ steps }) => steps.answer(index, false)],
    [`renew ${tab}`, ({ steps }) => steps.renew(index)],
    [`land ${tab}`, ({ steps }) => steps.land(index)],
    [`hear ${tab}`, ({ steps }) => steps.hear(index)],
    [`stale ${tab}`, ({ steps }) => steps.stale(index)],
    [`reload ${tab}`, ({ steps }) => steps.reload(index)],
    [`crash ${tab} at once`, ({ steps }) => steps.crash(index, 0)],
    [`crash ${tab} after a write`, ({ steps }) => steps.crash(index, 1)],
    [`fail ${tab}`, ({ steps }) => steps.fail(index)],
  ];
};

const all = [0, 1].flatMap(of);
/** How many steps; more by the environment. */
const DEPTH = Number(process.env["EXPLORE_DEPTH"] ?? 4);

let clock: () => number = () => 0;
beforeEach(() => void vi.spyOn(Date, "now").mockImplementation(() => clock()));
afterEach(() => void vi.restoreAllMocks());

/** Plays a sequence: what went wrong in the end, and whether its last step did anything. */
function play(sequence: readonly Step[]): { problem: string | undefined; isIdle: boolean } {
  const world = createWorld();
  clock = world.now;
  let isIdle = false;
  for (const [, run] of sequence) isIdle = run(world) === false;
  return { problem: isIdle ? undefined : world.verdict(), isIdle };
}

it("whatever two tabs do, in any order", () => {
  let count = 0;
  const found: string[] = [];
  const extend = (sequence: readonly Step[]) => {
    for (const step of all) {
      // The tabs are alike: the first step is the first tab's.
      if (sequence.length === 0 && !step[0].includes("A")) continue;
      const longer = [...sequence, step];
      const { problem, isIdle } = play(longer);
      if (isIdle) continue;
      count++;
      if (problem) found.push(`${longer.map(([name]) => name).join(", ")}: ${problem}`);
      else if (longer.length < DEPTH) extend(longer);
    }
  };
  extend([]);
  process.stderr.write(`${count} sequences, ${found.length} found\n`);
  expect(found.sort((a, b) => a.split(",").length - b.split(",").length).slice(0, 20)).toEqual([]);
}, 6_000_000);
