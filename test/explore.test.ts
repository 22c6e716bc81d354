/**
 * Every sequence of so many steps of two tabs over one store, played over the real ledger and sync. A counterexample is
 * printed as the steps that lead to it, the shortest first.
 */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createWorld, type Settings } from "./explore/world.ts";

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
  // It is tried again, and succeeds.
  fail: ({ steps }: World, index: number) => steps.fail(index, { after: 0, times: 1 }),
  // It fails again when it is tried again.
  "fail twice": ({ steps }: World, index: number) => steps.fail(index, { after: 0, times: 2 }),
  "fail later": ({ steps }: World, index: number) => steps.fail(index, { after: 1, times: 2 }),
  empty: ({ steps }: World, index: number) => steps.empty(index),
  deliver: ({ steps }: World, index: number) => steps.deliver(index),
};
type Act = keyof typeof acts;
const names = Object.keys(acts) as Act[];
const without = (...some: Act[]) => names.filter((name) => !some.includes(name));

/** Further steps than `npm test` plays: with `EXPLORE_DEEPER=1`, one more. */
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

/** What two tabs, or one, do; what has been done before; and in how many steps. */
interface Exploration {
  who: string;
  tabs: Partial<Record<"A" | "B", Act[]>>;
  before?: string[];
  depth: number;
  settings?: Settings;
}
const both = (some: Act[]) => ({ A: some, B: some });
const all = without("deliver", "fail twice", "fail later", "empty");
const signedIn = ["login A", "hear B"];

const explorations: Exploration[] = [
  { who: "two tabs do, over a store that answers at once", tabs: both(all), depth: 4 },
  {
    who: "two tabs do that show one session",
    tabs: both(all),
    before: signedIn,
    depth: 3,
  },
  {
    who: "a tab does whose store answers later",
    tabs: {
      A: without("stale", "crash at once", "crash after a write", "fail twice", "fail later", "empty"),
    },
    depth: 4,
    settings: { isSlow: true },
  },
  {
    // A revoke of what another tab has just begun cannot be told from one that was meant.
    who: "two tabs do with their logins, over a store that answers later",
    tabs: both(["login", "end", "good answer", "renew", "land", "hear", "reload", "fail", "deliver"]),
    depth: 5,
    settings: { isSlow: true },
  },
  {
    who: "a tab does with a session that another renews late",
    tabs: { A: ["end", "good answer", "hear", "reload"], B: ["renew", "stale", "land", "hear", "reload"] },
    before: signedIn,
    depth: 5,
  },
  {
    who: "a tab does whose store fails, beside one that crashes",
    tabs: {
      A: ["end", "good answer", "crash at once", "crash after a write", "hear"],
      B: ["end", "good answer", "fail twice", "fail later", "hear"],
    },
    before: signedIn,
    depth: 5,
  },
  {
    who: "two tabs do in one millisecond",
    tabs: both(["login", "end", "good answer", "stale", "hear", "reload"]),
    depth: 4,
    settings: { isStill: true },
  },
  {
    who: "a tab does in one millisecond, before its store has answered",
    tabs: { A: ["login", "end", "good answer", "reload", "deliver"] },
    depth: 6,
    // Of two sign-ins of one moment, the later has the lesser id.
    settings: { isSlow: true, isStill: true, idOf: (count) => `${99 - count}` },
  },
  {
    who: "two tabs do that renew at once, without a lock",
    tabs: both(["renew", "land", "stale", "hear", "end", "good answer"]),
    before: ["start A", "hear B"],
    depth: 4,
    settings: { isUnlocked: true },
  },
  {
    who: "two tabs do, and somebody who empties their store",
    tabs: both(["login", "renew", "land", "end", "good answer", "bad answer", "hear", "reload", "empty"]),
    before: signedIn,
    depth: 3,
  },
];

for (const { who, tabs, before = [], depth, settings = {} } of explorations)
  it(`whatever ${who}, in any order`, async () => {
    const stepOf = (name: Act, tab: string): Step => [
      `${name} ${tab}`,
      (world) => acts[name](world, tab === "A" ? 0 : 1),
    ];
    const steps = Object.entries(tabs).flatMap(([tab, names]) => names.map((name) => stepOf(name, tab)));
    const prelude = before.map((step) => stepOf(step.slice(0, -2) as Act, step.slice(-1)));
    // Where the tabs are alike, the first step is the first tab's.
    const areAlike = tabs.A === tabs.B && before.length === 0;
    let count = 0;
    const found: string[] = [];
    const extend = async (sequence: readonly Step[]) => {
      for (const step of steps) {
        if (areAlike && sequence.length === 0 && !step[0].endsWith("A")) continue;
        const longer = [...sequence, step];
        const { problem, isIdle } = await play(longer, settings);
        if (isIdle) continue;
        count++;
        if (problem) found.push(`${longer.map(([name]) => name).join(", ")}: ${problem}`);
        else if (longer.length < before.length + depth + DEEPER) await extend(longer);
      }
    };
    await extend(prelude);
    process.stderr.write(`${count} sequences, ${found.length} found\n`);
    expect(found.sort((a, b) => a.split(",").length - b.split(",").length).slice(0, 20)).toEqual([]);
    // Steps that are all idle would explore nothing.
    expect(count).toBeGreaterThan(500);
  }, 6_000_000);
