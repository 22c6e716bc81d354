/**
 * The world of the model: a provider, a browser with two tabs or a single one whose store is slow, and what must be
 * true of them whatever happens. What happens is up to `model.test.ts`.
 */
import { vi } from "vitest";
import type { Grant, Renew, SessionEvent, TokenStore } from "../src/index.ts";
import { learn, pendingOf, sessionOf } from "../src/ledger.ts";
import type { SessionRecord } from "../src/record.ts";
import { createSandboxApp, type Fault } from "../src/sandbox/sandbox.ts";
import { renewAt, type StoreCall, storeDouble } from "./support.ts";
import { browser, type Tab } from "./tabs.ts";

const TIMEOUT = 5_000;

type Method = StoreCall["method"];

/** One sign-in, with all tokens that it ever had. */
interface SignIn {
  /** Its place in the order of sign-ins. */
  index: number;
  userId: string;
  grant: Grant;
  tokens: string[];
  /** Whether it is over for whoever sees it: ended, replaced, refused, or lost with a page. */
  isOver: boolean;
  /** Whether its access token was left to expire. */
  isExpired: boolean;
  /** Whether a newer authorization of the same user would be ended with it. */
  isGivenUp?: boolean;
}

/** A data call. */
interface Call {
  page: Page;
  /** Whose token it went with. */
  signIn?: SignIn | undefined;
  isAnswered: boolean;
  /** Its session was over before there was an answer. */
  isOver: boolean;
}

/** A tab, or the page that it shows until it is loaded anew. */
interface Page extends Tab {
  /** What this page holds to be its session. */
  live?: SignIn | undefined;
  /** What start() was called for and no listener was told of yet. */
  begun: SignIn[];
  /** What was ended by this page. */
  ended: Set<SignIn>;
  isOpen: boolean;
  /** Whether its store has not been read yet: what is called until then is meant for what the read finds. */
  store: { isUnread: boolean };
  /** How many more times it writes to the store before it crashes. */
  writesLeft?: number;
}

export interface Settings {
  tabs: number;
  /** Whether a tab hears of each write of another at once, in the middle of what that one is doing. */
  hearsAtOnce?: boolean;
  /** How many ms the store takes. Default: it answers at once. */
  storeDelay?: number | undefined;
  /** When an answer arrives, of the server, of a renewal, and of a store that is slow. Default: at once. */
  arrival?: (what: string) => Promise<unknown>;
}

export function createWorld({ tabs, hearsAtOnce, storeDelay, arrival }: Settings) {
  const isSlow = !!storeDelay || arrival !== undefined;
  const provider = createSandboxApp();
  const users = [provider.user.id, provider.addUser({ email: "other@example.com" }).id];
  const shared = browser(provider);
  const problems = new Set<string>();
  const must = (holds: boolean, what: string) => void (holds || problems.add(what));
  const signIns = new Map<string, SignIn>();
  const calls: Call[] = [];
  /** Who waits for the answer to an ending, by its token. */
  const asking = new Map<string, Page>();
  let isFinishing = false;
  let isTelling = false;
  /** How often something was started or ended. */
  let steps = 0;
  /** How many ms the clock has gone on without the timers. */
  let leaps = 0;
  const broken = new Map<string, number>();
  let undo: (() => void)[] = [];
  /** Tokens that a page took with it before it could store them. */
  const lost = new Set<string>();
  const wasStored = new Set<string>();
  let hasFailed = false;

  const ledger = () => learn(new Map(), Object.values<SessionRecord[]>(shared.records()).flat());
  /** What is stored with tokens: the session, and what waits to be ended. */
  const stored = () => {
    const session = sessionOf(ledger());
    return [...(session ? [session] : []), ...pendingOf(ledger())];
  };
  const storedNow = (): SignIn | undefined => signIns.get(sessionOf(ledger())?.tokens.accessToken ?? "");

  /** What a page is about to restore, or has taken over and has told no listener of yet. */
  const storedOf = ({ session, store }: Page) =>
    session.state === "signed-out" && !store.isUnread ? undefined : storedNow();

  const isNewer = (one: SignIn | undefined, than: SignIn | undefined) =>
    (one?.index ?? -1) > (than?.index ?? -1);

  function fails(method: string): boolean {
    const left = broken.get(method) ?? 0;
    if (left === 0) return false;
    broken.set(method, left - 1);
    hasFailed = true;
    return true;
  }

  const after = (answer: void | PromiseLike<void>): void | PromiseLike<void> =>
    answer ? answer.then(note) : note();

  const note = (): void => {
    for (const { tokens } of stored()) wasStored.add(tokens.accessToken);
    if (hearsAtOnce) shared.hear(pages);
  };

  /** The same store, which may break, and may take its time; nothing of a page that is gone reaches it. */
  function behind(
    store: TokenStore,
    state: { isOpen: boolean; isUnread: boolean },
    crashes: () => boolean,
  ): TokenStore {
    const never = new Promise<never>(() => {});
    const ask = (method: Method) => {
      if (!state.isOpen || (method !== "read" && crashes())) return never;
      if (fails(method)) {
        if (method === "read") state.isUnread = true;
        throw new Error("a broken store");
      }
      return undefined;
    };
    const double = storeDouble(({ method }) => {
      if (!state.isOpen) return never;
      if (storeDelay === undefined) return ask(method);
      const waited =
        arrival?.(`store ${method}`) ?? new Promise((resolve) => setTimeout(resolve, storeDelay));
      return waited.then(() => ask(method));
    }, store);
    const read = (texts: Record<string, string>) => {
      state.isUnread = false;
      return texts;
    };
    return {
      ...double,
      read() {
        const answer = double.read();
        return answer instanceof Promise ? answer.then(read) : read(answer as Record<string, string>);
      },
      write: (key, text) => after(double.write(key, text)),
      remove: (key) => after(double.remove(key)),
    };
  }

  function open(): Page {
    const state = { isOpen: true, isUnread: true };
    const renewing = new Map<string, AbortSignal>();
    const exchange = renewAt(provider);
    const renew: Renew = async (tokens, options) => {
      const signIn = signIns.get(tokens.accessToken);
      const { refreshToken = "" } = tokens;
      must(renewing.get(refreshToken)?.aborted ?? true, "two renewals with one refresh token at once");
      renewing.set(refreshToken, options.signal);
      const known = stored().some(
        ({ tokens: one }) => signIns.get(one.accessToken) === signIn && one.refreshToken !== refreshToken,
      );
      must(
        !signIn || !known || storeDelay !== undefined || hasFailed || !state.isOpen,
        "a refresh token that is known to be spent",
      );
      const renewed = await Promise.resolve(exchange(tokens, options)).finally(() =>
        renewing.delete(refreshToken),
      );
      await arrival?.("renewal");
      if (renewed && signIn) {
        signIn.tokens.push(renewed.accessToken);
        signIns.set(renewed.accessToken, signIn);
        // The answer reaches nobody.
        if (!state.isOpen) lost.add(renewed.accessToken);
      }
      return renewed;
    };
    const tab = shared.open({
      timeout: TIMEOUT,
      renew,
      wrap: (store) =>
        behind(store, state, () => {
          const { writesLeft } = page;
          if (writesLeft !== undefined) page.writesLeft = writesLeft - 1;
          if (writesLeft === 0) reload(page);
          return writesLeft === 0;
        }),
      send: (input, init) => {
        const request = new Request(input, { ...init, signal: null });
        must(!init?.signal?.aborted, "a request that was given up before it was sent");
        const call = calls[Number(request.headers.get("x-call") ?? -1)];
        if (call) sentBy(page, request, call);
        const authorization = request.headers.get("authorization") ?? "";
        if (!call) asked(page, authorization);
        init?.signal?.addEventListener("abort", () => asking.delete(authorization));
        const sent = provider.fetch(input, init);
        return (arrival ? sent.finally(() => arrival("answer")) : sent).finally(() => {
          if (call) call.isAnswered = true;
          else asking.delete(authorization);
        });
      },
    });
    const page: Page = Object.assign(tab, {
      begun: [],
      ended: new Set<SignIn>(),
      live: undefined,
      isOpen: true,
      store: state,
    });
    page.session.subscribe((event) => state.isOpen && hear(page, event));
    const close = page.close;
    page.close = () => {
      state.isOpen = page.isOpen = false;
      close();
    };
    return page;
  }

  /** An ending is about to be sent. */
  function asked(page: Page, authorization: string): void {
    const other = asking.get(authorization);
    must(!other?.isOpen || other === page || hasFailed, "an ending that two tabs send at once");
    asking.set(authorization, page);
  }

  /** A data request is about to leave. */
  function sentBy(page: Page, { headers }: Request, call: Call): void {
    const signIn = signIns.get(headers.get("authorization")?.slice("Bearer ".length) ?? "");
    must(page.session.state === "active", "a data request without a session");
    must(signIn !== undefined && signIn === page.live, "a data request with the token of another session");
    must(signIn !== undefined && !page.ended.has(signIn), "a data request after its ending was called");
    call.signIn ??= signIn;
    must(call.signIn === signIn, "a data request that was replayed for another session");
    call.isAnswered = false;
  }

  let last: { page: Page; user: string; type: string } | undefined;

  function hear(page: Page, { type, reason, end }: SessionEvent): void {
    const { live } = page;
    const isOver = type === "started" ? live !== undefined : type === "signed-out";
    for (const call of calls) {
      if (isOver && reason !== "unauthorized" && call.page === page && !call.isAnswered) call.isOver = true;
    }
    if (type === "started") {
      const begun = page.begun.shift();
      const found = begun ?? storedNow();
      // A listener before this one may have ended it already.
      const isActive = page.session.state === "active";
      must(found !== undefined || !isActive, "a session from nowhere");
      must(!!begun || !found || !page.ended.has(found), "a session that was ended has come back");
      const isOther =
        last?.page === page && last.type === "elsewhere" && !!found && last.user !== found.userId;
      must(!isOther || begun !== undefined, "the sign-in of another user was taken over");
      page.live = isActive ? found : undefined;
    } else if (type === "renewed") must(live !== undefined, "renewed without a session");
    else if (type === "signed-out") {
      const states = page.events.filter(({ type }) => type === "started" || type === "signed-out");
      must(states.at(-2)?.type !== "signed-out", "signed out twice");
      // A device has one session: what a tab could not store is replaced once it hears of a newer one.
      const isReplaced = reason === "elsewhere" && [...signIns.values()].some((one) => isNewer(one, live));
      if (reason === "unauthorized" || isReplaced) for (const one of over(live)) page.ended.add(one);
      page.live = undefined;
    } else if (end) {
      must(end.local !== "failed" || hasFailed || isSlow, "a store that works has failed");
      must(end.server !== "unconfirmed" || end.error !== undefined, "unconfirmed without a reason");
    }
    last = { page, user: live?.userId ?? "", type: type === "signed-out" && reason ? reason : type };
  }

  const pages = Array.from({ length: tabs }, open);
  const pageAt = (index: number): Page => pages[index % pages.length] ?? open();
  /** Tells every tab of what it has not heard. */
  function hearAll(): void {
    shared.hear(pages);
    const pending = stored().filter(({ ending }) => ending);
    const given = pending.map(({ tokens }) => signIns.get(tokens.accessToken));
    // In the middle of a listener there are events that it was not told of yet.
    if (isSlow || hasFailed || isTelling) return;
    for (const { live } of pages) must(!live || !given.includes(live), "a session that is pending is active");
  }

  /** Notes that sign-ins are over. */
  function over(...signIns: (SignIn | undefined)[]): SignIn[] {
    const known = signIns.filter((one) => one !== undefined);
    for (const signIn of known) signIn.isOver = true;
    return known;
  }

  function begin(page: Page, grant: Grant, user: number): void {
    const userId = users[user] ?? "";
    // Nobody signs in in the very moment in which something else was called.
    vi.setSystemTime(Date.now() + 1);
    leaps++;
    const tokens = grant === "login" ? provider.login(userId) : provider.authorize(userId);
    const { accessToken } = tokens;
    const refreshToken = "refreshToken" in tokens ? String(tokens.refreshToken) : undefined;
    // Its tab's, and what another has stored meanwhile.
    for (const one of over(page.live, storedNow(), ...page.begun)) page.ended.add(one);
    for (const one of signIns.values()) {
      if (grant === "oauth" && one.userId === userId) one.isGivenUp = true;
    }
    const signIn: SignIn = {
      index: signIns.size,
      userId,
      grant,
      tokens: [accessToken],
      isOver: false,
      isExpired: false,
    };
    signIns.set(accessToken, signIn);
    page.begun.push(signIn);
    const before = ++steps;
    page.session
      .start({ accessToken, refreshToken, userId, grant })
      .catch((error) => problems.add(`start() rejected: ${error}`));
    // Unless a listener did something else.
    must(page.session.state === "active" || before !== steps, "not active after start()");
  }

  /** Loads a page anew, whatever it was about to do. */
  function reload(page: Page): void {
    page.close();
    // What was not stored yet is lost with the page: nothing was promised of it.
    const kept = stored().map(({ tokens }) => tokens.accessToken);
    // Or it was stored once, and what came after could not be written.
    for (const token of signIns.keys())
      if (!wasStored.has(token) || (hasFailed && !kept.includes(token))) lost.add(token);
    const now = storedNow();
    over(...[page.live, ...page.begun].filter((one) => one !== now));
    // Its ending, or what was to replace it, was called and not recorded: it is restored.
    if (now?.isOver && page.ended.has(now)) {
      now.isOver = false;
      // The server may have ended it all the same.
      now.isExpired = true;
      // What was to replace it is given up for it.
      for (const one of signIns.values())
        if (now.grant === "oauth" && one.userId === now.userId) one.isGivenUp = true;
    }
    pages[pages.indexOf(page)] = open();
  }

  return {
    problems,
    hearAll,
    async start(index: number, grant: Grant, user: number, isUnheard = false): Promise<void> {
      // To sign in takes a round trip: what was on its way before it has arrived. No client could call back
      // a revoke that overtakes the authorization it was sent before.
      await vi.advanceTimersByTimeAsync(1);
      hearAll();
      await vi.advanceTimersByTimeAsync(0);
      begin(pageAt(index), grant, user);
      // A revoke that is asked again before it is heard of would end a new authorization.
      if (!isUnheard || grant === "oauth") hearAll();
    },
    end(index: number, call: "logout" | "revoke" | "end", leaves?: number, isUnheard = false): void {
      hearAll();
      const page = pageAt(index);
      const mine = page.begun.at(-1) ?? page.live ?? storedOf(page);
      for (const one of over(page.live ?? storedOf(page), ...page.begun)) page.ended.add(one);
      const caller = new AbortController();
      const before = ++steps;
      const begun = Date.now() - leaps;
      const ending = page.session[call](leaves === undefined ? {} : { signal: caller.signal });
      // Unless this is how it hears of a newer sign-in of its user, which was not meant.
      const isKnown = before !== steps || isNewer(page.live, mine);
      must(page.session.state === "signed-out" || isKnown, "not signed out at once");
      if (leaves !== undefined) setTimeout(() => caller.abort(), leaves);
      ending.then(
        ({ local }) => {
          must(Date.now() - leaps - begun <= TIMEOUT, "later than its deadline");
          const isThere = page.isOpen && mine !== undefined && storedNow() === mine;
          must(local !== "cleared" || !isThere || hasFailed, "a session that was cleared is stored");
        },
        (error) => problems.add(`an ending rejected: ${error}`),
      );
      if (!isUnheard) hearAll();
    },
    call(index: number, method: "flush" | "ready"): void {
      pageAt(index)
        .session[method]()
        .catch((error) => problems.add(`${method}() rejected: ${error}`));
    },
    read(index: number): void {
      const page = pageAt(index);
      const call: Call = { page, isAnswered: false, isOver: false };
      const headers = { "x-call": `${calls.push(call) - 1}` };
      page.session.client.GET("/v1/user", { headers }).then(
        () => must(!call.isOver, "an answer of a session that was over before it came"),
        () => {},
      );
    },
    /** Starts or ends from within a listener, or so many microtasks later, once. */
    react(index: number, type: SessionEvent["type"], call: "start" | "revoke", ticks: number): void {
      const page = pageAt(index);
      const stop = page.session.subscribe(async (event) => {
        if (event.type !== type || !page.isOpen) return;
        stop();
        // Two sign-ins in the very same moment, in two tabs: no storage tells one of the other.
        const wait = hearsAtOnce && call === "start" ? Math.max(1, ticks) : ticks;
        for (let tick = 0; tick < wait; tick++) await undefined;
        if (!page.isOpen || isFinishing) return;
        isTelling = wait === 0;
        if (call === "start") begin(page, "login", 0);
        else this.end(index, call);
        isTelling = false;
      });
    },
    /** As after six hours, or by the provider's will. */
    expire(index: number): void {
      const { live } = pageAt(index);
      for (const token of live?.tokens ?? []) provider.expire(token);
      if (live) live.isExpired = true;
    },
    reload: (index: number) => reload(pageAt(index)),
    /** Crashes between two writes. */
    crash(index: number, writes: number): void {
      pageAt(index).writesLeft = writes;
    },
    misbehave(fault: Fault): void {
      undo.push(provider.misbehave(fault));
    },
    break: (method: Method, times: number) => void broken.set(method, times),
    heal(): void {
      broken.clear();
      for (const one of undo) one();
      undo = [];
    },
    async finish(): Promise<void> {
      isFinishing = true;
      this.heal();
      for (const method of ["ready", "flush", "flush"] as const) {
        await vi.advanceTimersByTimeAsync(2 * TIMEOUT);
        hearAll();
        for (const index of pages.keys()) this.call(index, method);
        await vi.advanceTimersByTimeAsync(1_000);
        hearAll();
      }
      account();
      vi.setSystemTime(Date.now() + 21_600_000);
      for (const index of pages.keys()) this.call(index, "flush");
      await vi.advanceTimersByTimeAsync(TIMEOUT);
      for (const page of pages) must(page.session.pending === 0, "something is pending after six hours");
      const said = JSON.stringify(pages.map(({ events }) => events));
      for (const token of signIns.keys()) must(!said.includes(token), "an event that holds a token");
    },
  };

  /** What is true when all is said and done. */
  function account(): void {
    const kept = new Set(stored().map(({ tokens }) => tokens.accessToken));
    for (const [token, { isGivenUp }] of signIns) {
      // What was given up for a newer sign-in of the same user; what a crash or a broken store took.
      const isExcused = kept.has(token) || lost.has(token) || isGivenUp;
      must(isExcused || !provider.isAlive(token), "a token is alive and nobody knows of it");
    }
    for (const signIn of new Set(signIns.values())) {
      const newest = signIn.tokens.at(-1) ?? "";
      const isKnown = kept.has(newest) || lost.has(newest);
      must(signIn.isOver || isKnown, "a sign-in that nobody ended is not stored");
      // What is stored nowhere, a revoke in another tab cannot know of.
      const isAlive = signIn.isExpired || !kept.has(newest) || provider.isAlive(newest);
      must(signIn.isOver || isAlive, "a sign-in that nobody ended was ended on the server");
    }
    const now = storedNow();
    for (const { session, live } of pages) {
      must((session.state === "active") === (live !== undefined), "a state that nobody was told of");
      must(live === undefined || live === now, "a page holds on to a session that is over");
      must(live === undefined || !live.isOver, "a session that was ended is active");
      const pending = pendingOf(ledger()).length;
      must(session.pending === pending, "the store and the session disagree on what is pending");
    }
  }
}
