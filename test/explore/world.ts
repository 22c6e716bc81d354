/**
 * Two tabs over one store and a server, in steps that can be played in any order: the real ledger and sync, and around
 * them as little of a tab as there can be. What must be true when all is quiet is in `account.ts`.
 */
import {
  type Advance,
  newestOf,
  pendingOf,
  type Shown,
  sessionFor,
  sessionOf,
  wouldEnd,
} from "../../src/ledger.ts";
import {
  asOver,
  asPending,
  endpointOf,
  type Grant,
  isLive,
  isPending,
  type PendingRecord,
  type SessionRecord,
} from "../../src/record.ts";
import { createSync, type Sync } from "../../src/sync.ts";
import { account, type Notes } from "./account.ts";
import { createBrowser, type Page } from "./browser.ts";
import { createServer } from "./server.ts";

const ORIGIN = "https://dev.api.baanx.com";
/** Longer than any sequence takes. */
const LEASE = 1_000;

/** An ending that waits for its answer. */
interface Asked {
  record: PendingRecord;
  /** How many tokens there were when the request was sent. */
  sentAt: number;
}

export interface Tab {
  page: Page;
  sync: Sync;
  shown: Shown | undefined;
  asked: Asked[];
  renewing: SessionRecord[];
}

export interface Settings {
  /** Whether the store answers later: what it is asked waits for `deliver`. */
  isSlow?: boolean;
  /** Whether all happens in one millisecond. */
  isStill?: boolean;
  /** Whether two tabs may renew at once, and both get tokens: no lock, and refresh tokens that work more than once. */
  isUnlocked?: boolean;
  /** The id of a sign-in, by how many tokens there were with it. */
  idOf?: (count: number) => string;
}

export function createWorld(settings: Settings = {}) {
  const { isSlow = false, isStill = false, isUnlocked = false, idOf = String } = settings;
  let clock = 1_000_000;
  const browser = createBrowser(isSlow);
  const server = createServer(isUnlocked, idOf);
  const notes: Notes = {
    lost: new Set(),
    perhapsDead: new Set(),
    superseded: new Set(),
    falselyCleared: new Set(),
    lent: new Set(),
  };
  const tabs = [0, 1].map(open);

  function open(index: number): Tab {
    const page = browser.open(index);
    const policy = { keeps: true, renews: true };
    const sync = createSync(page.store, ORIGIN, policy, {
      adopt: () => undefined,
      onFound: (record) => found(tab, record),
      onRead: () => {},
      onFailed: () => {},
      together: (change) => change(),
      onMoved: (_, givenUp) => moved(tab, givenUp),
    });
    const tab: Tab = { page, sync, shown: undefined, asked: [], renewing: [] };
    return tab;
  }

  /** As in session.ts: what was started before the store was read is newer than what was there. */
  function found({ sync }: Tab, record: SessionRecord): SessionRecord {
    const own = sync.isRestored ? undefined : sessionOf(sync.ledger);
    if (own && record.startedAt === own.startedAt) sync.join([{ ...own, startedAt: record.startedAt + 1 }]);
    return record;
  }

  function moved(tab: Tab, givenUp: Advance["givenUp"]): void {
    for (const { record, reason } of givenUp)
      if (reason === "superseded") notes.superseded.add(record.tokens.accessToken);
    const { ledger } = tab.sync;
    const now = sessionFor(tab.shown, ledger);
    const before = tab.shown?.userId;
    if (now && before && now.userId !== before) notes.lent.add(now.id);
    if (now) tab.shown = { id: now.id, userId: now.userId };
    const gone = new Set(givenUp.map(({ record }) => record.id));
    tab.asked = tab.asked.filter(
      ({ record }) =>
        !gone.has(record.id) && isPending(ledger.get(record.id)) && !wouldEnd(sessionOf(ledger), record),
    );
  }

  const hasKey = (key: string) => browser.held.has(key);

  function end(id: string | undefined, index: number): void {
    for (const one of server.signIns)
      if (one.id === id) Object.assign(one, { isEnded: true, endedBy: index });
  }

  /** One step of a tab, which is loaded anew if it crashes; false where there was nothing to do. */
  function act(index: number, run: (tab: Tab) => unknown): boolean {
    if (!isStill) clock += 1;
    const tab = tabs[index];
    if (!tab) return false;
    const isDone = run(tab) !== false;
    if (!tab.page.isOpen) reload(index, tab);
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
    tab.asked.push({ record: target, sentAt: server.count });
    tab.sync.join([target]);
  }

  function listen({ page, sync }: Tab): void {
    page.horizon = Number.POSITIVE_INFINITY;
    sync.read();
  }

  function reload(index: number, { page, sync, renewing }: Tab): void {
    page.isOpen = false;
    // What was in the page's memory alone is gone with it.
    for (const { tokens } of renewing) if (tokens) notes.lost.add(tokens.accessToken);
    // An ending that was not written down was as good as not called; whether it was sent is another matter.
    for (const signIn of server.signIns)
      if (
        signIn.endedBy === index &&
        browser.isStored(`"id":"${signIn.id}"`) &&
        !hasKey(`ended.${signIn.id}`)
      ) {
        signIn.isEnded = false;
        for (const token of signIn.tokens) notes.perhapsDead.add(token);
      }
    for (const { tokens } of sync.ledger.values())
      if (tokens && !browser.wasStored(`"${tokens.accessToken}"`)) notes.lost.add(tokens.accessToken);
    const fresh = open(index);
    tabs[index] = fresh;
    fresh.sync.read();
  }

  const steps = {
    start: (index: number, grant: Grant, userId: string | undefined) =>
      act(index, (tab) => {
        // What a sign-in replaces is ended by it.
        const replaced = sessionFor(tab.shown, tab.sync.ledger);
        const { id, token } = server.signIn(grant, userId);
        tab.shown = { id, userId: undefined };
        tab.sync.readAtOnce();
        const startedAt = Math.max(clock, (newestOf(tab.sync.ledger)?.startedAt ?? 0) + 1);
        const record: SessionRecord = {
          v: 1,
          id,
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
        const isWritten = tab.page.isOpen || hasKey(`ended.${replaced?.id}`) || hasKey(`session.${id}`);
        if (isWritten) end(replaced?.id, index);
      }),
    end: (index: number) =>
      act(index, (tab) => {
        const target = sessionFor(tab.shown, tab.sync.ledger);
        if (!target) return false;
        tab.sync.readAtOnce();
        const session = sessionOf(tab.sync.ledger);
        if (session?.id !== target.id) return true;
        const record = asPending(session, clock, endpointOf(session.grant));
        if (isPending(record)) send(tab, record);
        // A crash before it was written down is a crash before it was called.
        if (tab.page.isOpen || hasKey(`ended.${target.id}`)) end(target.id, index);
        return true;
      }),
    /** Whatever a good answer is, 200 or 401: there is nothing left to ask. */
    answer: (index: number, isGood: boolean) =>
      act(index, (tab) => {
        const asked = tab.asked.shift();
        if (!asked) return false;
        const { record, sentAt } = asked;
        const { accessToken } = record.tokens;
        if (isGood) server.end(accessToken, record.ending.endpoint, sentAt);
        tab.sync.readAtOnce();
        const released = { ...record, ending: { ...record.ending, until: 0 } };
        tab.sync.join([isGood ? asOver(released, clock) : released]);
        const isClear = tab.sync.localOf(record.id, true) === "cleared";
        if (isClear && browser.hasHeardAll(index, tab.page) && browser.isStored(`"${accessToken}"`))
          notes.falselyCleared.add(record.id);
        if (isGood) sweep(tab);
        return true;
      }),
    /** The refresh token is spent at once; what it was spent for comes later. */
    renew: (index: number) =>
      act(index, (tab) => {
        const session = sessionFor(tab.shown, tab.sync.ledger);
        if (!session || tab.renewing.length > 0) return false;
        const accessToken = server.renew(session.id, session.tokens.accessToken);
        if (!accessToken) return false;
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
        tab.sync.readAtOnce();
        tab.sync.join([next]);
        if (!isLive(tab.sync.ledger.get(next.id))) sweep(tab);
        return true;
      }),
    hear: (index: number) =>
      act(index, (tab) => {
        if (tab.page.heard === browser.writes) return false;
        listen(tab);
        return true;
      }),
    /** From now on it sees no write of others, until it hears. */
    stale: (index: number) =>
      act(index, ({ page }) => {
        if (page.horizon <= browser.writes) return false;
        page.horizon = browser.writes;
        return true;
      }),
    reload: (index: number) =>
      act(index, (tab) => {
        if (browser.writes === 0) return false;
        reload(index, tab);
        return true;
      }),
    crash: (index: number, writes: number) =>
      act(index, ({ page }) => {
        if (Number.isFinite(page.writesLeft)) return false;
        page.writesLeft = writes;
        return true;
      }),
    /** So many of its writes fail, after so many that do not. */
    fail: (index: number, failing: Page["failing"]) =>
      act(index, ({ page }) => {
        if (page.failing.times > 0) return false;
        page.failing = failing;
        return true;
      }),
    /** Somebody empties the store. */
    empty: (index: number) =>
      act(index, () => {
        const held = browser.empty();
        for (const signIn of server.signIns) {
          if (!held.includes(`"id":"${signIn.id}"`)) continue;
          signIn.isEnded = true;
          for (const token of signIn.tokens) notes.lost.add(token);
        }
        return held !== "";
      }),
    /** The store does what it was asked first, and answers. */
    deliver: (index: number) =>
      act(index, ({ page }) => {
        const call = page.waiting.shift();
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

  /** Lets each tab hear of all, until none writes any more; some would write for ever. */
  const quiet = async () => {
    for (let round = 0; round < 5; round++) {
      const { writes } = browser;
      for (const tab of tabs) {
        listen(tab);
        await rest();
      }
      if (browser.writes === writes) break;
    }
  };

  /** Answers all that was asked; what is asked again and again is left pending. */
  function answerAll(index: number): void {
    for (let count = 0; tabs[index]?.asked.length && count < 20; count++) steps.answer(index, true);
  }

  /** Lets everything come to rest, and says what is not as it must be. */
  async function verdict(): Promise<string | undefined> {
    for (const { page } of tabs)
      Object.assign(page, { failing: { after: 0, times: 0 }, writesLeft: Infinity });
    await rest();
    for (const index of tabs.keys()) {
      while (tabs[index]?.renewing.length) steps.land(index);
      await rest();
    }
    await quiet();
    const evidence = { tabs, browser, server, notes, settings };
    const before = account(evidence);
    if (before) return `${before} (before what is pending was sent)`;
    for (const index of tabs.keys()) answerAll(index);
    clock += 2 * LEASE;
    for (const [index, tab] of tabs.entries()) {
      sweep(tab);
      answerAll(index);
      await rest();
    }
    await quiet();
    const { writes } = browser;
    await quiet();
    if (browser.writes > writes) return "the tabs write when nothing happens";
    const left = tabs.flatMap(({ sync }) => pendingOf(sync.ledger));
    return account(evidence) ?? (left.length > 0 ? "something is pending when all was answered" : undefined);
  }

  return { steps, verdict, tick, now: () => clock };
}
