/**
 * Random interleavings of calls, faults, slow stores, crashes and reloads, held against what must be true of
 * all of them. A counterexample is printed with its seed, shrunk;
 * `MODEL_SEED=2 MODEL_RUNS=5000 npx vitest run test/model.test.ts` looks for others.
 */
import fc from "fast-check";
import { afterEach, beforeEach, it, vi } from "vitest";
import { createReferenceProvider, type Fault } from "../contracts/provider/provider.ts";
import { memoryStore, type TokenStore } from "../src/index.ts";
import { setup, useFakeTime } from "./support.ts";

beforeEach(() => void useFakeTime());
afterEach(() => void vi.useRealTimers());

const TIMEOUT = 5_000;
/** The same runs each time; others, and more of them, by the environment. */
const SEED = Number(process.env["MODEL_SEED"] ?? 1);
const RUNS = Number(process.env["MODEL_RUNS"] ?? 400);
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

const step = fc.oneof(
  fc.record({ do: fc.constant("start" as const), grant: fc.constantFrom("login", "oauth"), user: fc.nat(1) }),
  fc.record({
    do: fc.constant("end" as const),
    call: fc.constantFrom("logout", "revoke", "end"),
    leaves: fc.option(fc.nat(3_000), { nil: undefined }),
  }),
  fc.record({ do: fc.constantFrom("flush", "ready", "read", "reload", "heal") }),
  fc.record({
    do: fc.constant("fault" as const),
    fault: fc.nat(faults.length - 1),
    times: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({
    do: fc.constant("break" as const),
    method: fc.constantFrom("read", "setCurrent", "putPending", "dropPending"),
    times: fc.integer({ min: 1, max: 3 }),
  }),
  // Without one in between, calls come in the same tick.
  fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(0, 1, 50, 400, 2_000, 6_000) }),
);

/** The same store, whose answers come after `ms`; nothing of a session that crashed reaches it. */
function behind(
  store: TokenStore,
  ms: number | undefined,
  isAlive: () => boolean,
  fails: (method: keyof TokenStore) => boolean,
): TokenStore {
  const call = <T>(method: keyof TokenStore, answer: () => T | PromiseLike<T>): T | Promise<T> => {
    const ask = () => {
      if (fails(method)) throw new Error("a broken store");
      return answer();
    };
    if (!isAlive()) return new Promise<T>(() => {});
    if (ms === undefined) return ask() as T;
    return new Promise<void>((resolve) => setTimeout(resolve, ms)).then(() =>
      isAlive() ? ask() : new Promise<T>(() => {}),
    );
  };
  return {
    read: (create) => call("read", () => store.read(create)),
    setCurrent: (entry) => call("setCurrent", () => store.setCurrent(entry)),
    putPending: (entry) => call("putPending", () => store.putPending(entry)),
    dropPending: (id) => call("dropPending", () => store.dropPending(id)),
  };
}

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Plays the steps, and throws at the first thing that must not be. */
async function play(steps: Step[], storeDelay: number | undefined): Promise<void> {
  const provider = createReferenceProvider();
  const users = [provider.user.id, provider.addUser({ email: "other@example.com" }).id];
  const store = memoryStore();
  const started = new Set<string>();
  const given = new Set<string>();
  const ended = new Set<string>();
  /** How many requests had come when the session of this token was over. */
  const over = new Map<string, number>();
  /** The token of the session that should be active, where there is one. */
  let live: string | undefined;
  let undo: (() => void)[] = [];
  let superseded = 0;
  const problems: string[] = [];
  const must = (holds: boolean, what: string) => void (holds || problems.push(what));

  /** What the store is to fail at, and whether it ever did: then a token may be lost, which is reported. */
  const broken = new Map<string, number>();
  let hasFailed = false;
  const fails = (method: string) => {
    const left = broken.get(method) ?? 0;
    if (left === 0) return false;
    broken.set(method, left - 1);
    hasFailed = true;
    return true;
  };

  const finish = () => {
    if (live) over.set(live, provider.requests.length);
    if (live) ended.add(live);
    live = undefined;
  };

  function open() {
    let isAlive = true;
    const { session } = setup(
      {
        timeout: TIMEOUT,
        store: behind(store, storeDelay, () => isAlive, fails),
        fetch: (...call) => (isAlive ? provider.fetch(...call) : new Promise(() => {})),
      },
      provider,
    );
    let last = "";
    session.subscribe(({ type, reason, end }) => {
      if (!isAlive) return;
      // What is signed out is signed out once, and an ending that is confirmed leaves nothing.
      if (type === "signed-out") must(last !== "signed-out", "signed out twice");
      if (type === "started" || type === "signed-out") last = type;
      if (reason === "unauthorized") finish();
      if (end?.server === "superseded") superseded++;
      if (end) must(end.local !== "failed" || hasFailed, "a store that works has failed");
      if (end?.server === "unconfirmed") must(!!end.error, "unconfirmed without a reason");
    });
    const crash = () => {
      isAlive = false;
    };
    return { session, crash };
  }

  let life = open();
  const step = async (todo: Step) => {
    const { session } = life;
    if (todo.do === "start") {
      // To sign in takes a round trip: what was on its way before it has arrived. No client could call back
      // a revoke that overtakes the authorization it was sent before.
      await vi.advanceTimersByTimeAsync(0);
      const userId = users[todo.user] ?? "";
      const { accessToken } = todo.grant === "login" ? provider.login(userId) : provider.authorize(userId);
      finish();
      live = accessToken;
      started.add(accessToken);
      session
        .start({ accessToken, userId, grant: todo.grant as "login" })
        .catch((error) => problems.push(String(error)));
      must(session.state === "active", "not active after start()");
    } else if (todo.do === "end") {
      finish();
      const caller = new AbortController();
      const begun = Date.now();
      const ending = session[todo.call as "end"](todo.leaves === undefined ? {} : { signal: caller.signal });
      must(session.state === "signed-out", "not signed out at once");
      if (todo.leaves !== undefined) setTimeout(() => caller.abort(), todo.leaves);
      ending.then(
        () => must(Date.now() - begun <= TIMEOUT, "later than its deadline"),
        (error) => problems.push(`an ending rejected: ${error}`),
      );
    } else if (todo.do === "flush") session.flush();
    else if (todo.do === "ready") session.ready();
    else if (todo.do === "read") session.client.GET("/v1/user").catch(() => {});
    else if (todo.do === "reload") {
      life.crash();
      // What was not stored yet is lost with the page: nothing was promised of it.
      const { current, pending } = await store.read();
      const stored = new Set([current, ...pending].map((entry) => entry?.tokens.accessToken));
      for (const token of started) if (!stored.has(token)) given.add(token);
      live = current?.tokens.accessToken;
      // Its ending was called and not recorded: it is restored, though the server may have ended it.
      if (live && ended.has(live)) {
        over.delete(live);
        live = undefined;
      }
      life = open();
    } else if (todo.do === "fault") {
      undo.push(provider.misbehave({ times: todo.times, ...faults[todo.fault] }));
    } else if (todo.do === "break") broken.set(todo.method, todo.times);
    else if (todo.do === "heal") {
      broken.clear();
      for (const one of undo) one();
      undo = [];
    }
  };

  const check = () => {
    for (const [token, length] of over) {
      const late = provider.requests.slice(length).filter(({ path }) => path === "/v1/user");
      must(
        !late.some(({ authorization }) => authorization === `Bearer ${token}`),
        "a request with an ended token",
      );
    }
    if (live) must(provider.isAlive(live), "a live sign-in was ended");
  };

  for (const todo of steps) {
    await step(todo);
    if (todo.do === "wait") await vi.advanceTimersByTimeAsync(todo.ms);
    check();
  }
  // All is well again, and there is time.
  await step({ do: "heal" });
  await vi.advanceTimersByTimeAsync(2 * TIMEOUT);
  life.session.ready();
  await vi.advanceTimersByTimeAsync(2 * TIMEOUT);
  life.session.flush();
  await vi.advanceTimersByTimeAsync(TIMEOUT);
  check();
  // What may be alive still: what waits, for the provider refuses to revoke a login and says 401 to a second
  // revoke; what was given up for a newer sign-in; and what a crash took before it was stored.
  const { current, pending } = await store.read();
  const kept = new Set([current, ...pending].map((entry) => entry?.tokens.accessToken));
  for (const token of started) {
    const isAccounted = kept.has(token) || superseded > 0 || given.has(token);
    must(isAccounted || hasFailed || !provider.isAlive(token), "a token is alive and nobody knows of it");
  }
  must(
    life.session.pending === pending.length || hasFailed,
    "the store and the session disagree on what is pending",
  );
  vi.setSystemTime(Date.now() + 21_600_000);
  life.session.flush();
  await vi.advanceTimersByTimeAsync(TIMEOUT);
  must(life.session.pending === 0, "something is pending after six hours");
  must(
    (life.session.state === "active") === (live !== undefined) || storeDelay !== undefined || hasFailed,
    "not the state it should be in",
  );
  if (problems.length > 0) throw new Error([...new Set(problems)].join("; "));
}

it.each([undefined, 0, 300])(
  "whatever comes when, with a store that answers after %s ms",
  { timeout: 300_000 },
  async (storeDelay) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), (steps) => play(steps, storeDelay)),
      { numRuns: RUNS, seed: SEED },
    );
  },
);
