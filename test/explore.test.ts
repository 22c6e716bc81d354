/**
 * Every sequence of so many steps of two tabs over one store, played over the real ledger and sync. A counterexample is
 * printed as the steps that lead to it, the shortest first.
 */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createWorld, type Settings } from "./explore-world.ts";

type World = ReturnType<typeof createWorld>;
type Step = [name: string, run: (world: World) => unknown];

/** What a tab can do, by its name; a step that does nothing is not played. */
const acts = {
  start: ({ steps }: World, index: number) => steps.start(index, "oauth", "a"),
  login: ({ steps }: World, index: number) => steps.start(index, "login", undefined),
  "start as another": ({ steps }: World, index: number) => steps.start(index, "oauth", "b"),
  end: ({ steps }: World, index: number) => steps.end(index),
  "good answer": ({ steps }: World, index: number) => steps.answer(index, true),
  "bad answer": ({ steps }: World, index: number) => steps.answer(index, false),
  renew: ({ steps }: World, index: number) => steps.renew(index),
  land: ({ steps }: World, index: number) => steps.land(index),
  hear: ({ steps }: World, index: number) => steps.hear(index),
  stale: ({ steps }: World, index: number) => steps.stale(index),
  reload: ({ steps }: World, index: number) => steps.reload(index),
  "crash at once": ({ steps }: World, index: number) => steps.crash(index, 0),
  "crash after a write": ({ steps }: World, index: number) => steps.crash(index, 1),
  fail: ({ steps }: World, index: number) => steps.fail(index),
  deliver: ({ steps }: World, index: number) => steps.deliver(index),
};
type Act = keyof typeof acts;
const names = Object.keys(acts) as Act[];
const without = (...some: Act[]) => names.filter((name) => !some.includes(name));

/** Further steps than `npm test` plays: `npm run test:explore` plays one more. */
const DEEPER = Number(process.env["EXPLORE_DEEPER"] ?? 0);

let clock: () => number = () => 0;
beforeEach(() => void vi.spyOn(Date, "now").mockImplementation(() => clock()));
afterEach(() => void vi.restoreAllMocks());

/** Plays a sequence: what went wrong in the end, and whether its last step did anything. */
async function play(sequence: readonly Step[], settings: Settings) {
  const world = createWorld(settings);
  clock = world.now;
  let isIdle = false;
  for (const [, run] of sequence) {
    isIdle = run(world) === false;
    if (settings.isSlow) await world.tick();
  }
  return { problem: isIdle ? undefined : await world.verdict(), isIdle };
}

it.each([
  {
    who: "two tabs do, over a store that answers at once",
    tabs: ["A", "B"],
    depth: 4,
    names: without("deliver"),
    settings: {},
  },
  {
    who: "a tab does whose store answers later",
    tabs: ["A"],
    depth: 4,
    names: without("stale", "crash at once", "crash after a write"),
    settings: { isSlow: true },
  },
  {
    // A revoke of what another tab has just begun cannot be told from one that was meant.
    who: "two tabs do with their logins, over a store that answers later",
    tabs: ["A", "B"],
    depth: 5,
    names: without(
      "start",
      "start as another",
      "stale",
      "crash at once",
      "crash after a write",
      "bad answer",
    ),
    settings: { isSlow: true },
  },
])(
  "whatever $who, in any order",
  async ({ tabs, depth, names, settings }) => {
    const all = tabs.flatMap((tab, index) =>
      names.map((name): Step => [`${name} ${tab}`, (world) => acts[name](world, index)]),
    );
    let count = 0;
    const found: string[] = [];
    const extend = async (sequence: readonly Step[]) => {
      for (const step of all) {
        // The tabs are alike: the first step is the first tab's.
        if (sequence.length === 0 && !step[0].endsWith("A")) continue;
        const longer = [...sequence, step];
        const { problem, isIdle } = await play(longer, settings);
        if (isIdle) continue;
        count++;
        if (problem) found.push(`${longer.map(([name]) => name).join(", ")}: ${problem}`);
        else if (longer.length < depth + DEEPER) await extend(longer);
      }
    };
    await extend([]);
    process.stderr.write(`${count} sequences, ${found.length} found\n`);
    expect(found.sort((a, b) => a.split(",").length - b.split(",").length).slice(0, 20)).toEqual([]);
  },
  6_000_000,
);
