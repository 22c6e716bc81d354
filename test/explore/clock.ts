/**
 * Virtual time for the whole process: timers, clocks and random numbers, advanced by hand. vitest's fake timers wait for a
 * real timer between two of theirs, which would cost an exploration of many thousand sequences most of its time.
 */
interface Timer {
  at: number;
  run: () => void;
  /** The tab that set it: its timers stop when its page closes. */
  owner: number;
}

const TURNS = Symbol.for("baanx-session.renewals");
export const EPOCH = 1_800_000_000_000;
const { setImmediate } = globalThis;

/** Lets every promise chain that needs no timer run to its end. */
export const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

export const clock = {
  now: EPOCH,
  /** The tab that acts, and owns the timers that are set. */
  owner: -1,
  timers: new Map<number, Timer>(),
  /** Number of random numbers drawn; two sign-ins of one moment get ids in this order. */
  drawn: 0,
  isDescending: false,
  /** The turns of renewals by tab: a tab is a process of its own, and shares none with the other. */
  turns: new Map<number, Map<string, Promise<unknown>>>(),
  reset(isDescending = false): void {
    Object.assign(clock, { now: EPOCH, owner: -1, drawn: 0, isDescending });
    clock.timers.clear();
    clock.turns.clear();
  },
  /** Advances the time, timer by timer. */
  async advance(ms: number): Promise<void> {
    const end = clock.now + ms;
    for (let count = 0; count < 1_000; count++) {
      let next: [number, Timer] | undefined;
      for (const entry of clock.timers)
        if (entry[1].at <= end && !(next && next[1].at <= entry[1].at)) next = entry;
      if (!next) {
        clock.now = end;
        return;
      }
      clock.timers.delete(next[0]);
      clock.now = Math.max(clock.now, next[1].at);
      clock.owner = next[1].owner;
      next[1].run();
      await settle();
    }
    throw new Error("A timer that fires sets the next one, a thousand times.");
  },
};

/** Replaces the time of the process; returns the function that restores it. */
export function useVirtualTime(): () => void {
  const real = [
    [globalThis, "setTimeout", setTimeout],
    [globalThis, "clearTimeout", clearTimeout],
    [globalThis, "navigator", globalThis.navigator],
    [Date, "now", Date.now],
    [performance, "now", performance.now],
    [Math, "random", Math.random],
  ] as const;
  let count = 0;
  const virtual = {
    setTimeout: (run: () => void, ms = 0) => {
      clock.timers.set(++count, { at: clock.now + Math.max(0, ms), run, owner: clock.owner });
      return count;
    },
    clearTimeout: (id: number) => void clock.timers.delete(id),
    // Newer versions of Node have locks, which no clock of ours advances.
    navigator: undefined,
    now: () => Math.floor(clock.now),
    random: () => (clock.isDescending ? 1_000 - ++clock.drawn : ++clock.drawn) / 1_024,
  };
  const define = (target: object, name: string, value: unknown) =>
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
  for (const [target, name] of real) define(target, name, virtual[name]);
  const turnsOfTab = () => {
    const { turns, owner } = clock;
    return turns.get(owner) ?? turns.set(owner, new Map()).get(owner);
  };
  Object.defineProperty(globalThis, TURNS, { get: turnsOfTab, configurable: true });
  return () => {
    Reflect.deleteProperty(globalThis, TURNS);
    for (const [target, name, value] of real) define(target, name, value);
  };
}
