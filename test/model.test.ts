/**
 * Random interleavings of calls, renewals, faults, slow and broken stores, crashes, reloads and a second tab, held
 * against what must be true of all of them (`model-world.ts`). A counterexample is printed with its seed, shrunk;
 * `MODEL_SEED=2 MODEL_RUNS=5000 npx vitest run test/model.test.ts` looks for others.
 */
import fc from "fast-check";
import { afterEach, beforeEach, it, vi } from "vitest";
import type { Fault } from "../src/sandbox/sandbox.ts";
import { createWorld, type Settings } from "./model-world.ts";
import { REVOKE, useFakeTime } from "./support.ts";

beforeEach(() => void useFakeTime());
afterEach(() => void vi.useRealTimers());

/** The same runs each time; others, and more of them, by the environment. */
const SEED = Number(process.env["MODEL_SEED"] ?? 1);
const RUNS = Number(process.env["MODEL_RUNS"] ?? 600);

type World = ReturnType<typeof createWorld>;
type Command = fc.AsyncCommand<object, World>;

/** A step of the world; the model is empty: the world itself notes what was signed in and ended. */
const step =
  <T>(name: string, run: (world: World, of: T) => unknown) =>
  (of: T): Command => ({
    check: () => true,
    run: async (_, world) => void (await run(world, of)),
    toString: () => `${name} ${JSON.stringify(of)}`,
  });

const faults: Fault[] = [
  { status: 503 },
  { status: 403 },
  { status: 429, headers: { "retry-after": "1" } },
  { drop: true },
  { drop: true, handled: true },
  { delay: "forever" },
  { delay: 700 },
  { delay: 700, handled: false, status: 500 },
];

const tab = fc.nat(1);
const start = fc
  .record({
    tab,
    grant: fc.constantFrom("login" as const, "oauth" as const),
    user: fc.nat(1),
    isUnheard: fc.boolean(),
  })
  .map(step("start", (world, { tab, grant, user, isUnheard }) => world.start(tab, grant, user, isUnheard)));
const end = fc
  .record({
    tab,
    call: fc.constantFrom("logout" as const, "revoke" as const, "end" as const),
    leaves: fc.option(fc.nat(3_000), { nil: undefined }),
    isUnheard: fc.boolean(),
  })
  .map(step("end", (world, { tab, call, leaves, isUnheard }) => world.end(tab, call, leaves, isUnheard)));
const read = fc.record({ tab }).map(step("read", (world, { tab }) => world.read(tab)));
const expire = fc.record({ tab }).map(step("expire", (world, { tab }) => world.expire(tab)));
/** A call that meets an expired token. */
const renew = fc.record({ tab }).map(
  step("renew", (world, { tab }) => {
    world.expire(tab);
    world.read(tab);
  }),
);
/** An ending that is asked again. */
const retried = fc.record({ tab, call: fc.constantFrom("logout" as const, "revoke" as const) }).map(
  step("retried", (world, { tab, call }) => {
    world.misbehave({ status: 503, times: 1 });
    world.end(tab, call);
  }),
);
const others = [
  fc
    .record({ tab, method: fc.constantFrom("flush" as const, "ready" as const) })
    .map(step("call", (world, { tab, method }) => world.call(tab, method))),
  fc
    .record({
      tab,
      type: fc.constantFrom(
        "renewed" as const,
        "renewed" as const,
        "settled" as const,
        "signed-out" as const,
      ),
      call: fc.constantFrom("start" as const, "revoke" as const),
      ticks: fc.nat(9),
    })
    .map(step("react", (world, { tab, type, call, ticks }) => world.react(tab, type, call, ticks))),
  fc.record({ tab }).map(step("reload", (world, { tab }) => world.reload(tab))),
  fc
    .record({ tab, writes: fc.nat(2) })
    .map(step("crash", (world, { tab, writes }) => world.crash(tab, writes))),
  fc
    .record({ fault: fc.constantFrom(...faults), times: fc.integer({ min: 1, max: 4 }) })
    .map(step("misbehave", (world, { fault, times }) => world.misbehave({ times, ...fault }))),
  fc
    .record({
      method: fc.constantFrom("read" as const, "write" as const, "remove" as const),
      times: fc.integer({ min: 1, max: 3 }),
    })
    .map(step("break", (world, { method, times }) => world.break(method, times))),
  fc.constant({}).map(step("heal", (world) => world.heal())),
  fc.constant({}).map(step("hear", (world) => world.hearAll())),
];
// Without one in between, calls come in the same tick.
const wait = fc
  .record({ ms: fc.constantFrom(0, 1, 50, 400, 2_000, 6_000) })
  .map(step("wait", (_, { ms }) => vi.advanceTimersByTimeAsync(ms)));

/** What matters most comes most. */
const commands = fc.commands(
  [start, start, start, end, end, retried, read, read, renew, renew, expire, wait, wait, wait, ...others],
  { maxCommands: 24, size: "max" },
);

/** Plays the commands, and throws at the first thing that must not be. */
async function play(settings: Settings, steps: Iterable<Command>): Promise<void> {
  const world = createWorld(settings);
  await fc.asyncModelRun(() => ({ model: {}, real: world }), steps);
  await verdict(world);
}

async function verdict(world: World): Promise<void> {
  await world.finish();
  if (world.problems.size > 0) throw new Error([...world.problems].join("; "));
}

it.each([
  { name: "two tabs over one storage", tabs: 2 },
  { name: "one tab whose store answers later", tabs: 1, storeDelay: 0 },
  { name: "one tab whose store takes 300 ms", tabs: 1, storeDelay: 300 },
  { name: "two tabs that hear in the middle of what the other does", tabs: 2, hearsAtOnce: true },
])("whatever comes when, with $name", { timeout: 600_000 }, async (settings) => {
  await fc.assert(
    fc.asyncProperty(commands, (steps) => play(settings, steps)),
    { numRuns: RUNS, seed: SEED },
  );
});

it.each([
  { name: "two tabs over one storage", tabs: 2 },
  { name: "one tab whose store answers later", tabs: 1, storeDelay: 0 },
])("whatever answer comes first, with $name", { timeout: 600_000 }, async (settings) => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), commands, async (scheduler, steps) => {
      let isOver = false;
      const arrival = async (what: string) =>
        void (isOver || (await scheduler.schedule(Promise.resolve(), what)));
      const world = createWorld({ ...settings, arrival });
      await fc.scheduledModelRun(scheduler, () => ({ model: {}, real: world }), steps);
      isOver = true;
      await scheduler.waitIdle();
      await verdict(world);
    }),
    { numRuns: Math.ceil(RUNS / 2), seed: SEED },
  );
});

/** What the model has found, and what was mended since. */
const found: { name: string; storeDelay?: number; run: (world: World) => Promise<void> }[] = [
  {
    name: "a session that was restored at once is signed out when another tab ends it",
    async run(world) {
      await world.start(1, "login", 0);
      world.read(0);
      world.end(1, "logout");
    },
  },
  {
    name: "an ending clears what the sign-in before it had stored, when its own was not stored yet",
    storeDelay: 0,
    async run(world) {
      await world.start(0, "login", 0);
      await world.start(0, "login", 0);
      world.end(0, "logout");
    },
  },
  {
    name: "a session that the store failed to replace does not come back",
    async run(world) {
      await world.start(0, "login", 0);
      world.break("write", 1);
      await world.start(0, "login", 0);
      world.end(0, "logout");
    },
  },
  {
    name: "a session that the store failed to replace and to clear does not come back",
    async run(world) {
      await world.start(0, "login", 0);
      world.break("write", 2);
      await world.start(0, "login", 0);
      world.end(0, "logout");
    },
  },
  {
    name: "a session that one tab failed to replace and another to clear does not come back",
    async run(world) {
      await world.start(1, "login", 0);
      world.break("write", 2);
      await world.start(1, "login", 0);
      world.misbehave({ status: 503, times: 1 });
      world.end(0, "logout");
      await world.start(0, "login", 0);
    },
  },
  {
    name: "what the store failed to replace is not taken for a late renewal",
    async run(world) {
      await world.start(0, "oauth", 0);
      world.expire(0);
      world.read(0);
      world.break("write", 2);
      await world.start(0, "login", 0);
      world.expire(0);
    },
  },
  {
    name: "what a sign-in replaces does not come back when neither it nor its ending could be stored",
    storeDelay: 0,
    async run(world) {
      await world.start(0, "oauth", 1);
      await vi.advanceTimersByTimeAsync(1);
      world.break("write", 2);
      world.reload(0);
      await world.start(0, "oauth", 1);
      await vi.advanceTimersByTimeAsync(1);
      world.end(0, "logout");
      await vi.advanceTimersByTimeAsync(1);
    },
  },
  {
    name: "an ending whose store has gone silent at a 401 holds its deadline",
    storeDelay: 300,
    async run(world) {
      world.crash(0, 0);
      await world.start(0, "oauth", 0);
      world.expire(0);
      world.read(0);
      await vi.advanceTimersByTimeAsync(400);
      world.misbehave({ status: 503, times: 1 });
      world.end(0, "revoke");
    },
  },
  {
    name: "a sign-in stays when the store is read first after its deadline",
    storeDelay: 6_000,
    async run(world) {
      await world.start(0, "oauth", 0);
      await vi.advanceTimersByTimeAsync(20_000);
    },
  },
  {
    name: "a listener of a renewal that signs in again has what was renewed ended, not what was before",
    async run(world) {
      await world.start(1, "oauth", 0);
      world.react(1, "renewed", "start", 0);
      world.expire(1);
      world.read(1);
    },
  },
  {
    name: "what the store is found to hold is pending before it is cleared",
    storeDelay: 0,
    async run(world) {
      await world.start(0, "login", 0);
      await vi.advanceTimersByTimeAsync(1);
      world.reload(0);
      world.misbehave({ status: 503, times: 2 });
      await world.start(0, "login", 0);
      world.end(0, "logout");
      world.crash(0, 2);
    },
  },
  {
    name: "tokens that another tab has renewed too late are not dropped with those before",
    async run(world) {
      await world.start(0, "oauth", 0);
      world.expire(0);
      world.read(0);
      world.misbehave({ delay: 700, times: 2 });
      await world.start(1, "login", 0);
    },
  },
  {
    name: "a sign-in in another tab stops the revoke of the one before",
    async run(world) {
      await world.start(0, "oauth", 0);
      world.misbehave({ path: REVOKE, status: 503, times: 1 });
      world.end(0, "revoke");
      await vi.advanceTimersByTimeAsync(50);
      await world.start(1, "oauth", 0);
    },
  },
];

it.each(found)("$name", async ({ storeDelay, run }) => {
  const world = createWorld({ tabs: storeDelay === undefined ? 2 : 1, storeDelay });
  await run(world);
  await verdict(world);
});
