/**
 * Two tabs over one store and a server, in steps that can be played in any order: the real ledger and sync, and around
 * them as little of a tab as there can be. What must be true when all is quiet is in `verdict()`.
 */
import {
  type Advance,
  newestOf,
  pendingOf,
  type Shown,
  sessionFor,
  sessionOf,
  wouldEnd,
} from "../src/ledger.ts";
import {
  ended,
  endpointOf,
  type Grant,
  isLive,
  isPending,
  over,
  type PendingRecord,
  type SessionRecord,
  textOf,
} from "../src/record.ts";
import { createSync, type Sync } from "../src/sync.ts";

const ORIGIN = "https://dev.api.baanx.com";
/** Longer than any sequence takes. */
const LEASE = 1_000;

/** One sign-in, with all access tokens that it ever had. */
interface SignIn {
  id: string;
  /** Counts up with each. */
  at: number;
  grant: Grant;
  userId: string | undefined;
  tokens: string[];
  isEnded: boolean;
  /** The tab that ended it. */
  endedBy?: number;
}

/** An ending, or a renewal, that waits for its answer. */
interface Asked {
  record: PendingRecord;
  /** What there was to end when the request was sent: one that is on its way cannot be called back. */
  sentAt: number;
}

export interface Tab {
  sync: Sync;
  shown: Shown | undefined;
  asked: Asked[];
  renewing: SessionRecord[];
  /** How many writes of others it has seen; all, where it is not stale. */
  horizon: number;
  /** How many writes there were when it last read all of them. */
  heard: number;
  isOpen: boolean;
  /** How many writes it has left before it crashes. */
  writesLeft: number;
  /** How many of its next writes succeed, and how many fail after them. */
  failing: { after: number; times: number };
  /** The calls that its store has not answered yet. */
  waiting: (() => void)[];
}

interface Write {
  tab: number;
  key: string;
  text: string | undefined;
}

export interface Settings {
  /** Whether the store answers later: what it is asked waits for `deliver`. */
  isSlow?: boolean;
  /** Whether all happens in one millisecond. */
  isStill?: boolean;
  /** Whether two tabs may renew at once, and both get tokens: no lock, and refresh tokens that work more than once. */
  isUnlocked?: boolean;
  /** The id of a sign-in, by how many tokens there were before it. */
  idOf?: (count: number) => string;
}

class Crash extends Error {}

const NO_FAILURE = { after: Number.POSITIVE_INFINITY, times: 0 };

export function createWorld({ isSlow, isStill, isUnlocked, idOf = String }: Settings = {}) {
  let clock = 1_000_000;
  let count = 0;
  const log: Write[] = [];
  const signIns: SignIn[] = [];
  /** What the server accepts, and whose it is. */
  const alive = new Map<string, SignIn>();
  /** What nobody could have kept: its page was gone before it was written, or somebody removed it from the store. */
  const lost = new Set<string>();
  /** What was perhaps ended by a page that had not written it down. */
  const perhapsDead = new Set<string>();
  /** What a rule has given up for a newer sign-in. */
  const superseded = new Set<string>();
  /** What a tab said was cleared, and is not. */
  const falselyCleared = new Set<string>();
  /** What was lent to a tab of another user. */
  const lent = new Set<string>();
  const tabs = [0, 1].map(open);

  function open(index: number): Tab {
    const tab: Tab = {
      sync: undefined as unknown as Sync,
      shown: undefined,
      asked: [],
      renewing: [],
      horizon: Number.POSITIVE_INFINITY,
      heard: 0,
      isOpen: true,
      writesLeft: Number.POSITIVE_INFINITY,
      failing: NO_FAILURE,
      waiting: [],
    };
    const answer = <T>(call: () => T): T | Promise<T> => {
      if (!tab.isOpen) return new Promise(() => {});
      if (!isSlow) return call();
      return new Promise((resolve, reject) => {
        tab.waiting.push(() => {
          try {
            resolve(call());
          } catch (error) {
            reject(error);
          }
        });
      });
    };
    const write = (key: string, text: string | undefined) =>
      answer(() => {
        if (tab.writesLeft === 0) {
          tab.isOpen = false;
          throw new Crash();
        }
        tab.writesLeft--;
        tab.failing.after--;
        if (tab.failing.after < 0 && tab.failing.times > 0) {
          tab.failing.times--;
          throw new Error("a store that fails");
        }
        log.push({ tab: index, key, text });
      });
    const store = {
      read: () =>
        answer(() => {
          if (tab.horizon > log.length) tab.heard = log.length;
          return Object.fromEntries(contents(index, tab.horizon));
        }),
      write: (key: string, text: string) => write(key, text),
      remove: (key: string) => write(key, undefined),
    };
    const policy = { keeps: true, renews: true };
    tab.sync = createSync(store, ORIGIN, policy, {
      adopt: () => undefined,
      found: (record) => found(tab, record),
      wasRead: () => {},
      failed: () => {},
      together: (change) => change(),
      moved: (_, givenUp) => moved(tab, givenUp),
    });
    return tab;
  }

  /** What a tab can read: all of its own writes, and those of others up to its horizon. */
  function contents(index: number, horizon: number): Map<string, string> {
    const texts = new Map<string, string>();
    for (const [at, { tab, key, text }] of log.entries()) {
      if (tab !== index && at >= horizon) continue;
      if (text === undefined) texts.delete(key);
      else texts.set(key, text);
    }
    return texts;
  }

  /** As in session.ts: what was started before the store was read is newer than what was there. */
  function found({ sync }: Tab, record: SessionRecord): SessionRecord {
    const own = sync.isRestored ? undefined : sessionOf(sync.ledger);
    if (own && record.startedAt === own.startedAt) sync.join([{ ...own, startedAt: record.startedAt + 1 }]);
    return record;
  }

  const wasStored = (token: string) => log.some(({ text }) => text?.includes(`"${token}"`));

  function moved(tab: Tab, givenUp: Advance["givenUp"]): void {
    for (const { record, reason } of givenUp)
      if (reason === "superseded") superseded.add(record.tokens.accessToken);
    const { ledger } = tab.sync;
    const now = sessionFor(tab.shown, ledger);
    const before = tab.shown?.userId;
    if (now && before && now.userId !== before) lent.add(now.id);
    if (now) tab.shown = { id: now.id, userId: now.userId };
    const gone = new Set(givenUp.map(({ record }) => record.id));
    tab.asked = tab.asked.filter(
      ({ record }) =>
        !gone.has(record.id) && isPending(ledger.get(record.id)) && !wouldEnd(sessionOf(ledger), record),
    );
  }

  const hasEnding = (id: string | undefined) => contents(-1, Number.POSITIVE_INFINITY).has(`ended.${id}`);

  const end = (signIn: SignIn, index: number) => Object.assign(signIn, { isEnded: true, endedBy: index });

  const signInOf = (token: string | undefined) => signIns.find(({ tokens }) => tokens.includes(token ?? ""));

  /** One step of a tab, which is loaded anew if it crashes; false where there was nothing to do. */
  function act(index: number, run: (tab: Tab) => unknown): boolean {
    if (!isStill) clock += 1;
    const tab = tabs[index];
    if (!tab) return false;
    const isDone = run(tab) !== false;
    if (!tab.isOpen) reload(index);
    return isDone;
  }

  /** Sends what is pending and nobody else is sending. */
  function sweep(tab: Tab): void {
    for (const record of pendingOf(tab.sync.ledger)) {
      const isAsked = tab.asked.some((asked) => asked.record.id === record.id);
      if (!isAsked && record.ending.until <= clock) send(tab, record);
    }
  }

  function send(tab: Tab, record: PendingRecord): void {
    const { ending } = record;
    const target = { ...record, ending: { ...ending, attempt: ending.attempt + 1, until: clock + LEASE } };
    tab.asked.push({ record: target, sentAt: count });
    tab.sync.join([target]);
  }

  function read(tab: Tab): void {
    tab.sync.readAtOnce();
  }

  function listen(tab: Tab): void {
    tab.horizon = Number.POSITIVE_INFINITY;
    tab.sync.read();
  }

  function reload(index: number): void {
    const old = tabs[index];
    if (!old) return;
    old.isOpen = false;
    // What was in the page's memory alone is gone with it.
    const kept = [...contents(index, Number.POSITIVE_INFINITY).values()].join();
    for (const { tokens } of old.renewing) if (tokens) lost.add(tokens.accessToken);
    // An ending that was not written down was as good as not called; whether it was sent is another matter.
    for (const signIn of signIns)
      if (signIn.endedBy === index && kept.includes(`"id":"${signIn.id}"`) && !hasEnding(signIn.id)) {
        signIn.isEnded = false;
        for (const token of signIn.tokens) perhapsDead.add(token);
      }
    for (const { tokens } of old.sync.ledger.values())
      if (tokens && !wasStored(tokens.accessToken)) lost.add(tokens.accessToken);
    const fresh = open(index);
    tabs[index] = fresh;
    fresh.sync.read();
  }

  /** The server's answer: 200 or 401. What it ends is its own business. */
  function serve({
    record: { tokens, ending },
    sentAt,
  }: Asked): "confirmed" | "already-invalid" | "unauthorized" {
    const owner = alive.get(tokens.accessToken);
    if (!owner) return ending.endpoint === "revoke" ? "unauthorized" : "already-invalid";
    if (ending.endpoint === "logout") alive.delete(tokens.accessToken);
    else
      for (const [token, { grant, userId }] of alive)
        if (
          token === tokens.accessToken ||
          (grant === "oauth" && userId === owner.userId && Number(token.slice(6)) <= sentAt)
        )
          alive.delete(token);
    return "confirmed";
  }

  const steps = {
    start: (index: number, grant: Grant, userId: string | undefined) =>
      act(index, (tab) => {
        const token = `token-${++count}`;
        const signIn: SignIn = { id: idOf(count), at: count, grant, userId, tokens: [token], isEnded: false };
        // What a sign-in replaces is ended by it.
        const replaced = sessionFor(tab.shown, tab.sync.ledger);
        signIns.push(signIn);
        alive.set(token, signIn);
        tab.shown = { id: signIn.id, userId: undefined };
        read(tab);
        const startedAt = Math.max(clock, (newestOf(tab.sync.ledger)?.startedAt ?? 0) + 1);
        const record: SessionRecord = {
          v: 1,
          id: signIn.id,
          origin: ORIGIN,
          region: "international",
          grant,
          userId,
          startedAt,
          generation: 0,
          tokens: { accessToken: token, refreshToken: `refresh-of-${token}` },
        };
        tab.sync.join([record]);
        sweep(tab);
        const isStored = contents(-1, Number.POSITIVE_INFINITY).has(`session.${signIn.id}`);
        const isWritten = tab.isOpen || hasEnding(replaced?.id) || isStored;
        for (const one of signIns) if (one.id === replaced?.id && isWritten) end(one, index);
      }),
    end: (index: number) =>
      act(index, (tab) => {
        const target = sessionFor(tab.shown, tab.sync.ledger);
        if (!target) return false;
        read(tab);
        const session = sessionOf(tab.sync.ledger);
        if (session?.id !== target.id) return true;
        const signIn = signIns.find(({ id }) => id === target.id);
        const record = ended(session, clock, endpointOf(session.grant));
        if (isPending(record)) send(tab, record);
        // A crash before it was written down is a crash before it was called.
        if (signIn && (tab.isOpen || hasEnding(signIn.id))) end(signIn, index);
        return true;
      }),
    answer: (index: number, isGood: boolean) =>
      act(index, (tab) => {
        const asked = tab.asked.shift();
        if (!asked) return false;
        const { record } = asked;
        read(tab);
        const released = { ...record, ending: { ...record.ending, until: 0 } };
        if (!isGood) {
          tab.sync.join([released]);
          return true;
        }
        serve(asked);
        // Whatever the answer: dead, or nothing left to ask.
        tab.sync.join([over(released, clock)]);
        const isHeard = log.slice(tab.heard).every((write) => write.tab === index);
        const isClear = tab.sync.localOf(record.id, true) === "cleared";
        const kept = [...contents(-1, Number.POSITIVE_INFINITY).values()].join();
        if (isHeard && isClear && kept.includes(`"${record.tokens.accessToken}"`))
          falselyCleared.add(record.id);
        sweep(tab);
        return true;
      }),
    /** The refresh token is spent at once; what it was spent for comes later. */
    renew: (index: number) =>
      act(index, (tab) => {
        const session = sessionFor(tab.shown, tab.sync.ledger);
        if (!session || tab.renewing.length > 0) return false;
        const signIn = signIns.find(({ id }) => id === session.id);
        const accessToken = `token-${++count}`;
        const newest = signIn?.tokens.at(-1);
        // It rotates: only the last one counts, while it lives.
        const isUsable = isUnlocked || newest === session.tokens.accessToken;
        if (!signIn || !newest || !isUsable || !alive.has(newest)) return false;
        signIn.tokens.push(accessToken);
        alive.set(accessToken, signIn);
        // The access token before it runs out by itself.
        if (!isUnlocked) alive.delete(newest);
        tab.renewing.push({
          ...session,
          // It says whose it is.
          userId: session.userId ?? "a",
          generation: session.generation + 1,
          tokens: { accessToken, refreshToken: `refresh-of-${accessToken}` },
        });
        return true;
      }),
    land: (index: number) =>
      act(index, (tab) => {
        const next = tab.renewing.shift();
        if (!next) return false;
        read(tab);
        tab.sync.join([next]);
        if (!isLive(tab.sync.ledger.get(next.id))) sweep(tab);
        return true;
      }),
    hear: (index: number) =>
      act(index, (tab) => {
        if (tab.heard === log.length) return false;
        listen(tab);
        return true;
      }),
    /** From now on it sees no write of others, until it hears. */
    stale: (index: number) =>
      act(index, (tab) => {
        if (tab.horizon <= log.length) return false;
        tab.horizon = log.length;
        return true;
      }),
    reload: (index: number) =>
      act(index, () => {
        if (log.length === 0) return false;
        reload(index);
        return true;
      }),
    crash: (index: number, writes: number) =>
      act(index, (tab) => {
        if (Number.isFinite(tab.writesLeft)) return false;
        tab.writesLeft = writes;
        return true;
      }),
    fail: (index: number) =>
      act(index, (tab) => {
        if (tab.failing.times > 0) return false;
        tab.failing = { after: 0, times: 1 };
        return true;
      }),
    /** The write after the next one fails, also when it is tried once more. */
    failLater: (index: number) =>
      act(index, (tab) => {
        if (tab.failing.times > 0) return false;
        tab.failing = { after: 1, times: 2 };
        return true;
      }),
    /** Somebody removes all that the store holds, as "clear site data" does. */
    remove: (index: number) =>
      act(index, () => {
        const held = contents(-1, Number.POSITIVE_INFINITY);
        for (const [key, text] of held) {
          log.push({ tab: -1, key, text: undefined });
          for (const signIn of signIns) {
            if (!text.includes(`"id":"${signIn.id}"`)) continue;
            signIn.isEnded = true;
            for (const token of signIn.tokens) lost.add(token);
          }
        }
        return held.size > 0;
      }),
    /** The store does what it was asked first, and answers. */
    deliver: (index: number) =>
      act(index, ({ waiting }) => {
        const call = waiting.shift();
        call?.();
        return call !== undefined;
      }),
  };

  /** Lets what was answered come to where it is waited for. */
  const tick = async () => {
    for (let turn = 0; turn < 6; turn++) await undefined;
  };

  const rest = async () => {
    if (!isSlow) return;
    await tick();
    for (const index of tabs.keys()) while (steps.deliver(index)) await tick();
  };

  const quiet = async () => {
    for (let round = 0; round < 3; round++)
      for (const tab of tabs) {
        listen(tab);
        await rest();
      }
  };

  function account(): string | undefined {
    const held = contents(-1, Number.POSITIVE_INFINITY);
    const [first, second] = tabs;
    if (!first || !second) return "no tabs";
    const session = sessionOf(first.sync.ledger);
    const texts = [...held.values()].join();
    for (const [token, signIn] of alive) {
      // A revoke of it would end the newer authorization of the same user, which is why it is given up.
      const isReplaced = signIns.some(
        (one) =>
          one !== signIn &&
          one.grant === "oauth" &&
          signIn.grant === "oauth" &&
          one.userId === signIn.userId &&
          one.at > signIn.at,
      );
      if (isReplaced && superseded.has(token)) continue;
      const isKnown =
        session?.tokens.accessToken === token ||
        pendingOf(first.sync.ledger).some(({ tokens }) => tokens.accessToken === token) ||
        // Of two renewals at once one is kept: a revoke ends the other with it.
        (isUnlocked && first.sync.ledger.get(signIn.id)?.tokens);
      if (!isKnown && !lost.has(token))
        return `a token is alive and nobody knows of it: ${token} of sign-in ${signIn.id}`;
    }
    for (const tab of tabs) {
      const shows = sessionFor(tab.shown, tab.sync.ledger);
      const signIn = signInOf(shows?.tokens.accessToken);
      if (signIn?.isEnded) return `a session that was ended is active: ${signIn.id}`;
      if (session && !shows && tab.shown?.userId && tab.shown.userId === session.userId)
        return `a tab of the same user does not show the session: ${session.id}`;
      const isPerhapsDead = signIn?.tokens.some((token) => perhapsDead.has(token));
      const isLost = lost.has(signIn?.tokens.at(-1) ?? "");
      if (signIn && !alive.has(shows?.tokens.accessToken ?? "") && !isPerhapsDead && !isLost)
        return `a tab shows a session whose token is dead: ${signIn.id}`;
    }
    if (falselyCleared.size > 0) return `said to be cleared, and still stored: ${[...falselyCleared].join()}`;
    if (lent.size > 0) return `a tab of another user shows the session: ${[...lent].join()}`;
    const newest = signIns.at(-1);
    // Of what two tabs do in one moment without a word, nobody knows the order.
    const isOrdered = !isStill || isSlow;
    if (
      isOrdered &&
      newest &&
      !newest.isEnded &&
      !newest.tokens.some((token) => lost.has(token)) &&
      session?.id !== newest.id
    )
      return `the newest sign-in does not live: ${newest.id}`;
    const ledgers = tabs.map(({ sync }) =>
      [...sync.ledger.values()]
        .map((record) => textOf(record))
        .sort()
        .join(),
    );
    if (ledgers[0] !== ledgers[1]) return `the tabs disagree: ${ledgers.join(" / ")}`;
    for (const record of first.sync.ledger.values())
      if (!texts.includes(`"id":"${record.id}"`)) return `the store lacks ${record.id}`;
    if (held.size !== first.sync.ledger.size) return `the store holds ${[...held.keys()].join()}`;
    return undefined;
  }

  /** Answers all that was asked; what is asked again and again is left pending. */
  function answerAll(index: number): void {
    for (let count = 0; tabs[index]?.asked.length && count < 20; count++) steps.answer(index, true);
  }

  /** Lets everything come to rest, and says what is not as it must be. */
  async function verdict(): Promise<string | undefined> {
    for (const tab of tabs) {
      tab.failing = NO_FAILURE;
      tab.writesLeft = Number.POSITIVE_INFINITY;
    }
    await rest();
    for (const index of tabs.keys()) {
      while (tabs[index]?.renewing.length) steps.land(index);
      await rest();
    }
    await quiet();
    const before = account();
    if (before) return `${before} (before what is pending was sent)`;
    for (const index of tabs.keys()) answerAll(index);
    clock += 2 * LEASE;
    for (const [index, tab] of tabs.entries()) {
      sweep(tab);
      answerAll(index);
      await rest();
    }
    await quiet();
    const writes = log.length;
    await quiet();
    if (log.length > writes) return "the tabs write when nothing happens";
    const after = account();
    if (after) return after;
    const left = [...tabs].flatMap(({ sync }) => pendingOf(sync.ledger));
    return left.length > 0 ? "something is pending when all was answered" : undefined;
  }

  return {
    steps,
    verdict,
    tick,
    now: () => clock,
  };
}
