/**
 * Compares every report of a session with the truth of the server and the store at that moment, and every world that has
 * come to rest with what must be true then: nothing is lost, nothing comes back, all tabs agree.
 */
import type { SessionEnd, SessionEvent, SessionStart } from "../../src/index.ts";
import { isLive, type SessionRecord } from "../../src/record.ts";
import type { Browser } from "./browser.ts";
import type { Server, SignIn } from "./server.ts";
import type { Settings, Tab } from "./world.ts";

interface Truth {
  browser: Browser;
  server: Server;
  tabs: readonly Tab[];
  settings: Settings;
}

const records = new Map<string, SessionRecord>();

/** Returns a string as a record; one string is parsed once. */
function recordOf(string: string): SessionRecord {
  const known = records.get(string);
  if (known) return known;
  if (records.size > 10_000) records.clear();
  const record: SessionRecord = JSON.parse(string);
  records.set(string, record);
  return record;
}

const recordsOf = (strings: Record<string, string> | undefined) => Object.values(strings ?? {}).map(recordOf);

export function createOracle({ browser, server, tabs, settings }: Truth) {
  /** Access tokens that no tab can know: their page was closed first, or their renewal was never answered. */
  const lost = new Set<string>();
  /** Access tokens that ended without the knowledge of the tab that uses them. */
  const dead = new Set<string>();
  /** Tokens that some page has asked about. */
  const asked = new Set<string>();
  /** True once storage was cleared. */
  let isCleared = false;
  const problems: string[] = [];
  const fail = (problem: string) => void problems.push(problem);
  /** The session of a renewal whose answer was lost cannot be renewed again. */
  function lose(token: string): void {
    lost.add(token);
    const signIn = server.ownerOf(token);
    if (signIn) signIn.mayEnd = true;
  }
  const nameOf = ({ at }: SignIn) => `sign-in ${at + 1}`;

  /** Returns whether a page that last showed one session would show another. */
  const wouldShow = (shown: SignIn | undefined, next: SignIn) =>
    !shown ||
    shown === next ||
    (shown.userId !== undefined && shown.userId === next.userId && shown.region === next.region);

  function markEnded(signIn: SignIn, tab: Tab): void {
    signIn.mustEnd = true;
    signIn.endedBy.add(tab.index);
  }

  /** Returns why a claim about the server is not true of a sign-in. */
  function serverProblem(
    { server: claim, refreshToken }: SessionEnd,
    signIn: SignIn,
    tab: Tab,
  ): string | undefined {
    const { tokens } = signIn;
    const got = (status: number) =>
      server.answers.some(
        (answer) =>
          answer.status === status &&
          tokens.includes(answer.token) &&
          answer.endpoint !== (status === 200 ? "user" : undefined),
      );
    const newer = server.signIns.some(
      ({ at, grant, userId, region }) =>
        at > signIn.at &&
        grant === "oauth" &&
        region === signIn.region &&
        (!userId || !signIn.userId || userId === signIn.userId),
    );
    // Tokens that this tab has, or is waiting for.
    const own = [...tab.landed, ...tab.renewing.map(({ token }) => token)];
    const left = tokens.filter((token) => own.includes(token) && server.alive.has(token));
    const isEnded = claim === "confirmed" || claim === "already-invalid";
    if (claim === "confirmed" && !got(200)) return "no answer confirmed it";
    if (claim === "already-invalid" && !got(401) && !signIn.isRenewalRefused)
      return "the server was never asked, or accepted it";
    if (claim === "superseded" && !newer && !signIn.isRestarted)
      return "no newer sign-in would be ended with it";
    if (claim === "expired") return "six hours have not passed";
    if (claim === "no-session") return "it exists";
    if (isEnded && left.length > 0) return `${left.join()} is alive`;
    if (signIn.refreshToken && !signIn.isRenewalRefused && !refreshToken) return "its refresh token is valid";
    return undefined;
  }

  /** Returns why a claim about the store is not true of a sign-in. */
  function localProblem(
    { local }: SessionEnd,
    { id, tokens, refreshToken, isRestarted }: SignIn,
    { page }: Tab,
  ): string | undefined {
    if (!page) return undefined;
    // A second session with the same tokens keeps them.
    const keys = browser
      .keysSeen(page, [...tokens, ...(refreshToken ? [refreshToken] : [])])
      .filter((key) => !isRestarted || key === `ended.${id}`);
    if (local === "cleared" && keys.length > 0) return `${keys.join()} holds its token`;
    if (local === "pending" && !settings.isSlow && !browser.wasStored(`"id":"${id}"`, '"ending"'))
      return "its ending was never stored";
    return undefined;
  }

  function checkEnd(tab: Tab, candidates: readonly SignIn[], end: SessionEnd, name: string): void {
    const { server: claim, local, error, storeError } = end;
    const said = `${name} reported ${claim}, ${local}`;
    if (claim === "unconfirmed" && !error) fail(`${said} without an error`);
    if ((local === "failed") !== (storeError !== undefined))
      fail(`${said} ${storeError ? "with" : "without"} a storeError`);
    if (local === "failed" && !settings.isSlow && browser.failures === 0)
      fail(`${said}, and no call of the store failed`);
    if (claim === "no-session") {
      checkNothing(tab, said);
      return;
    }
    // The store was not read, or the caller did not wait for it.
    if (candidates === server.signIns && (error?.code === "store-failed" || error?.code === "aborted"))
      return;
    const whys = candidates.map((signIn) => {
      const why = serverProblem(end, signIn, tab) ?? localProblem(end, signIn, tab);
      return why && `${nameOf(signIn)}: ${why}`;
    });
    // Another process may have ended a session that this page has not heard of.
    if (whys.length > 0 && !whys.includes(undefined)) fail(`${said}, but ${whys.join("; ")}`);
    if (whys.length === 0 && !storeError) fail(`${said}, and there was no session`);
  }

  /** A page says that there is nothing to end. */
  function checkNothing({ page, shown, endedAt }: Tab, said: string): void {
    const known = recordsOf(page?.read).filter(({ id, tokens, ending }) => {
      const signIn = server.byId(id);
      return signIn && tokens && signIn.at < endedAt && (ending || wouldShow(shown, signIn));
    });
    if (page && (page.isReadFailing || !page.read)) fail(`${said}, but the store was not read`);
    if (known.some((record) => browser.isStored(record.tokens?.accessToken ?? "")))
      fail(`${said}, but the store held a token`);
  }

  /** Returns the newest sign-in that some page can know. */
  const newestOf = () =>
    [...server.signIns].reverse().find(({ tokens }) => !tokens.every((token) => lost.has(token)));

  function accountTokens(live: SessionRecord | undefined, isFinal: boolean): void {
    const isKept = (token: string) =>
      settings.hasNoStore
        ? tabs.some(({ session, landed }) => session.current && landed.has(token))
        : browser.isStored(token);
    for (const [token, signIn] of server.alive) {
      const isSuperseded = browser.wasStored(`"id":"${signIn.id}"`, '"superseded"') || settings.hasNoStore;
      const isDiscarded =
        settings.options?.onUnconfirmed === "discard" &&
        browser.wasStored(`"id":"${signIn.id}"`, '"unconfirmed"');
      const isPlain = settings.hasNoRenew && browser.wasStored(`"id":"${signIn.id}"`, '"unconfirmed"');
      const isTwin = settings.isReusable && signIn.tokens.some((one) => browser.isStored(one));
      if (!isKept(token) && !lost.has(token) && !isSuperseded && !isDiscarded && !isPlain && !isTwin)
        fail(`${token} of ${nameOf(signIn)} is alive and no tab can end it`);
      const isLive = live?.tokens?.accessToken === token;
      if (isFinal && isKept(token) && !isLive && !isTwin && !settings.hasNoStore)
        fail(`${token} of ${nameOf(signIn)} was never ended`);
    }
  }

  function accountTabs(live: SessionRecord | undefined): void {
    for (const { session, shown, index } of tabs) {
      const current = server.byId(session.current?.id);
      const known = live && server.byId(live.id);
      const name = `tab ${"AB"[index]}`;
      if (current?.mustEnd && !current.mayEnd) fail(`${name} shows ${nameOf(current)}, which was ended`);
      if (settings.hasNoStore) continue;
      if (current && current !== known) fail(`${name} shows ${nameOf(current)}, which is not stored`);
      if (known && !current && wouldShow(shown, known)) fail(`${name} does not show ${nameOf(known)}`);
    }
    const token = live?.tokens?.accessToken;
    if (token && !server.alive.has(token) && !dead.has(token))
      fail(`the stored session has a dead token: ${token}`);
  }

  return {
    /** True while the world comes to rest: reactions are over. */
    isResting: false,
    fail,
    get problem() {
      return problems[0];
    },
    notes: () => [isCleared, [...lost], [...dead], [...asked]],
    lose,
    expire(token: string): void {
      server.expire(token);
      dead.add(token);
    },
    /** A token ended with another one. A tab that knew of it may not do that to a newer session. */
    killed(token: string, by: string, known: ReadonlySet<string>): void {
      const [signIn, cause] = [server.ownerOf(token), server.ownerOf(by)];
      if (!signIn || !cause || signIn === cause) return;
      if (known.has(token) && signIn.at > cause.at && !signIn.mustEnd && !signIn.mayEnd)
        fail(`the ending of ${nameOf(cause)} ended ${nameOf(signIn)}`);
      dead.add(token);
    },
    /** A page sends an ending; returns the tokens that it knows, or should have read before it asks again. */
    asked({ index, page, landed }: Tab, token: string): Set<string> {
      if (!server.ownerOf(token)) fail(`tab ${"AB"[index]} sent a token that the server never gave`);
      const isRepeated = asked.has(token);
      asked.add(token);
      const isCurrent = isRepeated && page?.read && page.horizon > browser.writes;
      const stored = isCurrent
        ? [...browser.held.values()].flatMap((string) => recordOf(string).tokens?.accessToken ?? [])
        : [];
      return new Set([...(page?.known ?? []), ...landed, ...stored]);
    },
    rejected: (name: string, error: unknown) => fail(`${name} rejected: ${error}`),
    /** A page begins a session: whatever it can see is replaced. */
    starting(tab: Tab, next: SignIn): void {
      const shown = server.byId(tab.session.current?.id);
      if (shown && shown !== next) markEnded(shown, tab);
      for (const signIn of server.signIns) if (signIn !== next) signIn.mayEnd ||= !signIn.mustEnd;
    },
    started(tab: Tab, signIn: SignIn, { local, storeError }: SessionStart): void {
      const said = `start() reported ${local}`;
      if (local === "memory" && tab.page) fail(`${said}, but there is a store`);
      const isThere = [...browser.held.keys()].some((key) => key.endsWith(`.${signIn.id}`));
      if (local === "stored" && !isThere && !signIn.mayEnd && !signIn.mustEnd)
        fail(`${said}, but the store does not hold it`);
      if (local === "failed" && !storeError) fail(`${said} without a storeError`);
      if (local === "failed" && !settings.isSlow && browser.failures === 0)
        fail(`${said}, and no call of the store failed`);
    },
    /** A page begins an ending; returns the sign-ins that its result may be about. */
    ending(tab: Tab): readonly SignIn[] {
      const { page, shown, session } = tab;
      tab.endedAt = server.signIns.length;
      const current = server.byId(session.current?.id);
      const isReadable =
        page &&
        !settings.isSlow &&
        !settings.fault &&
        !(page.failing.kinds === "read" && page.failing.times > 0);
      const visible = isReadable ? recordsOf(browser.seenBy(page)).filter(isLive) : [];
      const found = visible
        .flatMap(({ id }) => server.byId(id) ?? [])
        .filter((signIn) => wouldShow(shown, signIn));
      for (const signIn of current ? [current, ...found] : found) markEnded(signIn, tab);
      if (page && !isReadable)
        for (const signIn of server.signIns) if (wouldShow(shown, signIn)) signIn.mayEnd ||= !signIn.mustEnd;
      return current && isReadable && found.every((signIn) => signIn === current)
        ? [current]
        : server.signIns;
    },
    ended: (tab: Tab, candidates: readonly SignIn[], end: SessionEnd, name: string) =>
      checkEnd(tab, candidates, end, `${name}()`),
    flushed(tab: Tab, ends: readonly SessionEnd[]): void {
      for (const end of ends) checkEnd(tab, server.signIns, end, "flush()");
    },
    event(tab: Tab, { type, end, error }: SessionEvent): void {
      const { session, shown, events } = tab;
      const current = server.byId(session.current?.id);
      const last = events.filter((name) => name === "started" || name === "signed-out").at(-1);
      if (end) checkEnd(tab, server.signIns, end, "the event settled");
      if (type === "signed-out" && last === "signed-out") fail("two events signed-out in a row");
      if (
        type === "started" &&
        current &&
        shown &&
        current !== shown &&
        !tab.landed.has(current.tokens[0] ?? "") &&
        !wouldShow(shown, current)
      )
        fail(`a tab of another user shows ${nameOf(current)}`);
      if ((type === "store-failed" || type === "renew-failed") && !error) fail(`${type} without an error`);
      if (type === "store-failed" && !settings.isSlow && browser.failures === 0)
        fail(`store-failed, and no call of the store failed: ${error?.message}`);
    },
    /** Checks one page after each step. */
    looked({ session, index }: Tab): void {
      const current = server.byId(session.current?.id);
      if ((session.state === "active") !== (session.current !== undefined))
        fail(`the state is ${session.state}, against current`);
      if (session.current && !current) fail("a tab shows a session that the server never gave");
      if (current?.endedBy.has(index)) fail(`tab ${"AB"[index]} shows ${nameOf(current)}, which it ended`);
      // A tombstone says what another tab may rely on.
      for (const string of browser.held.values()) {
        const record = recordOf(string);
        const signIn = server.byId(record.id);
        const { onUnconfirmed } = settings.options ?? {};
        if (record.ending && record.tokens && onUnconfirmed === "discard")
          fail("a discarded ending stored its token");
        // Another tab that knew the live session writes all it knows.
        const isOwn =
          signIn?.endedBy.size === 1 &&
          tabs.every((tab) => signIn.endedBy.has(tab.index) || (!tab.shown && !tab.page?.read));
        if (record.ending && record.tokens?.refreshToken && settings.hasNoRenew && isOwn)
          fail("an ending stored a refresh token that no tab can use");
        const said = { server: record.outcome, refreshToken: "may-be-valid" };
        if (!signIn || !record.outcome || record.outcome === "unconfirmed") continue;
        const why = serverProblem(said as SessionEnd, signIn, {
          landed: new Set<string>(),
          renewing: [] as unknown,
        } as Tab);
        if (why) fail(`the store says ${record.outcome} of ${nameOf(signIn)}: ${why}`);
      }
    },
    /** A page is closed: whatever it alone knew is lost. */
    closed({ index, page, landed }: Tab): void {
      const others = tabs.filter((tab) => tab.index !== index);
      for (const token of [...(page?.known ?? []), ...landed])
        if (
          (isCleared || !browser.wasStored(`"${token}"`)) &&
          !browser.isStored(token) &&
          !others.some((other) => other.page?.known.has(token) || other.landed.has(token))
        )
          lost.add(token);
      for (const { token } of tabs[index]?.renewing ?? []) if (token) lose(token);
      for (const signIn of server.signIns) {
        // An ending that was not stored is lost with its page.
        const isForgotten =
          browser.held.has(`session.${signIn.id}`) && !browser.held.has(`ended.${signIn.id}`);
        if (!signIn.endedBy.delete(index) || !isForgotten) continue;
        signIn.mustEnd = signIn.endedBy.size > 0;
        signIn.mayEnd = true;
        for (const token of signIn.tokens) dead.add(token);
      }
    },
    /** Storage is cleared: each tab that holds a token ends it. */
    cleared(): void {
      isCleared = true;
      for (const signIn of server.signIns) {
        signIn.mayEnd = true;
        for (const token of signIn.tokens)
          if (!tabs.some(({ page, landed }) => page?.known.has(token) || landed.has(token))) lost.add(token);
      }
    },
    /** Checks a world at rest. */
    account(when: string): void {
      const before = problems.length;
      const live = [...browser.held.values()].map(recordOf).filter(isLive);
      const isFinal = when === "at the end";
      if (live.length > 1) fail("the store holds two sessions");
      accountTokens(live[0], isFinal);
      accountTabs(live[0]);
      const newest = newestOf();
      const current = server.byId(live[0]?.id);
      // Two tabs in one millisecond do not know their order.
      const isOrdered = !settings.hasNoStore && (!settings.isStill || settings.isSlow);
      if (isOrdered && newest && current && current !== newest)
        fail(`${nameOf(current)} outlives a newer one`);
      const mustLive = newest && !newest.mustEnd && !newest.mayEnd && !settings.hasNoStore;
      if (mustLive && !(isOrdered ? current === newest : current))
        fail(`the newest sign-in is not live: ${nameOf(newest)}`);
      if (isFinal)
        for (const { session, calls, index } of tabs) {
          if (session.pending > 0) fail(`tab ${"AB"[index]} has a pending ending after every answer`);
          for (const { name } of calls) fail(`${name}() of tab ${"AB"[index]} never settled`);
        }
      if (problems.length > before) problems.splice(before, 1, `${problems[before]} (${when})`);
    },
  };
}
