/**
 * One of the processes of `soak.test.ts`: signs users in and out at random over a store that fails, and reports each
 * result to its parent, which knows the truth. It ends when its parent disconnects.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "redis";
import { createSession, type Session, type SessionEnd, type SessionStart } from "../../src/index.ts";
import { type NodeRedis, redisStore } from "../../src/stores/redis.ts";

export interface SoakSettings {
  redisUrl: string;
  baseUrl: string;
  clientKey: string;
  seed: number;
  /** The share of the calls of the store that fail. */
  failing: number;
  names: { name: string; onUnconfirmed: "keep" | "discard" }[];
}

export interface SoakTokens {
  accessToken: string;
  refreshToken?: string;
  userId: string;
  grant: "login" | "oauth";
}

/** From the process to its parent. */
export type SoakReport =
  | { type: "mint"; name: string }
  | { type: "start"; name: string; token: string; result: SessionStart; isStored: boolean }
  | {
      type: "end";
      name: string;
      /** The token of the session that was shown, if it is known. */
      token: string | undefined;
      result: SessionEnd;
      /** The store held the token afterwards. */
      isHeld: boolean;
      method: string;
      state: string;
    }
  | { type: "done"; calls: number; failures: number; pending: number };

/** A generator of numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

async function run({ redisUrl, baseUrl, clientKey, seed, failing, names }: SoakSettings): Promise<void> {
  const random = randomOf(seed);
  const client = createClient({ url: redisUrl });
  client.on("error", () => {});
  await client.connect();
  let isOver = false;
  let calls = 0;
  let failures = 0;
  const report = (message: SoakReport) => process.send?.(message);
  const minted: ((tokens: SoakTokens) => void)[] = [];
  process.on("message", (message: SoakTokens | "heal") => {
    if (message === "heal") isOver = true;
    else minted.shift()?.(message);
  });
  const mint = (name: string) =>
    new Promise<SoakTokens>((resolve) => {
      minted.push(resolve);
      report({ type: "mint", name });
    });

  /** A call of the store that fails before it has its effect, after it, or is slow. */
  async function call<T>(make: () => Promise<T>): Promise<T> {
    calls += 1;
    const luck = isOver ? 1 : random();
    if (luck > failing) return make();
    failures += 1;
    if (luck < failing / 3) throw new Error("failed before it had its effect");
    if (luck < (2 * failing) / 3) await sleep(random() * 300);
    await make();
    throw new Error("failed after it had its effect");
  }
  const rawOf = (name: string) => client.hGetAll(name);

  const sessions = names.map(({ name, onUnconfirmed }) => {
    const store = redisStore(client as NodeRedis, name);
    const session = createSession({
      baseUrl,
      clientKey,
      onUnconfirmed,
      timeout: 1_000,
      retries: 1,
      store: {
        read: () => call(async () => store.read()),
        write: (key, text) => call(async () => store.write(key, text)),
        remove: (key) => call(async () => store.remove(key)),
      },
    });
    return { name, session };
  });
  /** The tokens that this process started a session with, by id. */
  const started = new Map<string, string>();

  async function start(name: string, session: Session): Promise<void> {
    const tokens = await mint(name);
    const starting = session.start(tokens);
    const id = session.current?.id;
    if (id) started.set(id, tokens.accessToken);
    const result = await starting;
    const held = await rawOf(name);
    // Another request of this web session may have ended it, and its tombstone may be forgotten.
    const isEnded = session.current?.id !== id;
    const isStored = isEnded || `session.${id}` in held || `ended.${id}` in held;
    report({ type: "start", name, token: tokens.accessToken, result, isStored });
  }

  async function end(name: string, session: Session, method: "end" | "logout"): Promise<void> {
    const token = started.get(session.current?.id ?? "");
    const result = await session[method]();
    const { state } = session;
    const holdsToken = async () => !!token && JSON.stringify(await rawOf(name)).includes(token);
    let isHeld = await holdsToken();
    // The other process may be ending it as well, and write its own copy until it has finished.
    for (let wait = 0; isHeld && result.local === "cleared" && wait < 40; wait++) {
      await sleep(100);
      isHeld = await holdsToken();
    }
    report({ type: "end", name, token, result, isHeld, method, state });
  }

  const step = async ({ name, session }: (typeof sessions)[number]) => {
    const luck = random();
    if (luck < 0.35) await start(name, session);
    else if (luck < 0.7) await end(name, session, luck < 0.6 ? "end" : "logout");
    else if (luck < 0.85) {
      for (const result of await session.flush())
        report({ type: "end", name, token: undefined, result, isHeld: false, method: "flush", state: "" });
    } else await session.client.GET("/v1/user").catch(() => {});
  };
  // Each web session has two requests at a time.
  const playing = [...sessions, ...sessions].map(async (one) => {
    while (!isOver) {
      await step(one);
      await sleep(random() * 20);
    }
  });
  await Promise.all(playing);
  const pendingOf = () => sessions.reduce((sum, { session }) => sum + session.pending, 0);
  // A lease of the other process may have to lapse.
  for (let round = 0; round < 3 || (round < 60 && pendingOf() > 0); round++) {
    for (const { session } of sessions) await session.flush();
    await sleep(100);
  }
  report({ type: "done", calls, failures, pending: pendingOf() });
}

const [settings] = process.argv.slice(2);
if (settings !== undefined && process.send) await run(JSON.parse(settings));
