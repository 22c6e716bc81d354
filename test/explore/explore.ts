/** Plays every sequence of a number of steps, and remembers the states that it has seen. */
import { createHash } from "node:crypto";
import { clock } from "./clock.ts";
import { createWorld, type Settings, type World } from "./world.ts";

export interface Exploration {
  /** The steps of each tab. */
  tabs: { A?: readonly string[]; B?: readonly string[] };
  /** The steps before, such as `login A, hear B`. */
  before?: string;
  depth: number;
  settings?: Settings;
}

const split = (steps: string) => steps.split(", ").filter(Boolean);

/** Plays a sequence to its end; `isIdle` if a step had nothing to do. */
async function replay(
  sequence: readonly string[],
  settings: Settings,
): Promise<{ world: World; isIdle: boolean }> {
  const world = createWorld(settings);
  let isIdle = false;
  for (const step of sequence) if (!world.oracle.problem) isIdle = !(await world.play(step)) || isIdle;
  return { world, isIdle };
}

/** Plays a sequence such as `login A, hear B, end A`, and returns what went wrong. */
export async function play(
  steps: string | readonly string[],
  settings: Settings = {},
): Promise<string | undefined> {
  const { world } = await replay(typeof steps === "string" ? split(steps) : steps, settings);
  return world.oracle.problem ?? (await world.verdict());
}

/** Explores breadth first, so that the first counterexample is the shortest. */
export async function explore({ tabs, before = "", depth, settings = {} }: Exploration, most = 5) {
  const prelude = split(before);
  const all = Object.entries(tabs).flatMap(([tab, names]) => names.map((name) => `${name} ${tab}`));
  // Where the tabs are alike, the first step is the first tab's.
  const areAlike = tabs.A === tabs.B && prelude.length === 0;
  const seen = new Set<string>();
  const found: string[] = [];
  let played = 0;
  let frontier: { sequence: readonly string[]; next: readonly string[] }[] = [
    { sequence: prelude, next: areAlike ? all.filter((step) => step.endsWith("A")) : all },
  ];
  for (let level = 1; level <= depth && found.length < most; level++) {
    const deeper: typeof frontier = [];
    for (const { sequence, next } of frontier)
      for (const step of next) {
        const longer = [...sequence, step];
        const { world, isIdle } = await replay(longer, settings);
        if (isIdle) continue;
        played++;
        const state = createHash("sha1").update(world.snapshot()).digest("base64");
        if (!world.oracle.problem && seen.has(state)) continue;
        seen.add(state);
        const possible = level < depth ? all.filter((one) => world.isPossible(one)) : [];
        const problem = world.oracle.problem ?? (await world.verdict());
        if (problem) found.push(`${longer.join(", ")}: ${problem}`);
        else if (level < depth) deeper.push({ sequence: longer, next: possible });
        if (found.length >= most) return { played, states: seen.size, found };
      }
    frontier = deeper;
  }
  clock.reset();
  return { played, states: seen.size, found };
}
