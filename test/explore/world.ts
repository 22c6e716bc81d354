/**
 * Two tabs or processes over one store and one server: real sessions, played step by step through their public API. Every
 * result is compared with the truth by `oracle.ts`, at the moment it is reported.
 */
import {
  createSession,
  type Session,
  type SessionEvent,
  type SessionOptions,
  type SessionTokens,
} from "../../src/index.ts";
import type { Endpoint, Grant, Region } from "../../src/record.ts";
import { createBrowser, type Effect, type Page } from "./browser.ts";
import { clock, EPOCH, settle } from "./clock.ts";
import { createOracle } from "./oracle.ts";
import { createServer, type SignIn } from "./server.ts";

const BASE_URL = "https://dev.api.baanx.com";
/** Longer than every lease and deadline. */
const LONG_MS = 130_000;
const noRenewal = { signIn: undefined, token: undefined };

/** An ending that waits for its answer. */
interface Asked {
  token: string;
  endpoint: Endpoint;
  /** Number of tokens when it was sent. */
  sentAt: number;
  /** The tokens that the tab knew then. */
  known: ReadonlySet<string>;
  resolve: (response: Response) => void;
  reject: (error: Error) => void;
}

export interface Tab {
  readonly index: number;
  readonly session: Session;
  readonly page: Page | undefined;
  asked: Asked[];
  /** Renewals that wait for their tokens; without a token if the server refused. */
  renewing: { token: string | undefined; land: (isLost: boolean) => void }[];
  /** Names of the API calls that have not settled. */
  calls: Set<{ name: string }>;
  /** The session that this page showed last. */
  shown: SignIn | undefined;
  /** Number of sign-ins when this page last ended something. */
  endedAt: number;
  /** Tokens that landed in this page. */
  landed: Set<string>;
  events: string[];
}

export interface Settings {
  /** Each store call is answered by hand. */
  isSlow?: boolean;
  /** The sessions live in memory alone. */
  hasNoStore?: boolean;
  /** Everything happens in one millisecond. */
  isStill?: boolean;
  /** The later of two sign-ins of one millisecond has the lesser id. */
  isDescending?: boolean;
  /** A refresh token works more than once, and an access token outlives its renewal. */
  isReusable?: boolean;
  /** The server answers by itself, truthfully. */
  isAutomatic?: boolean;
  hasNoRenew?: boolean;
  options?: Pick<SessionOptions, "retries" | "onUnconfirmed">;
  /** Decides whether the next fallible call fails. */
  fault?: (kind: string) => Effect;
}

export function createWorld(settings: Settings = {}) {
  const { isSlow = false, isStill = false } = settings;
  const fault = (kind: string) => (oracle.isResting ? undefined : settings.fault?.(kind));
  clock.reset(settings.isDescending);
  const browser = createBrowser(isSlow, fault);
  const server = createServer(settings.isReusable ?? false);
  const tabs: Tab[] = [];
  const oracle = createOracle({ browser, server, tabs, settings });

  function open(index: number): Tab {
    const page = settings.hasNoStore ? undefined : browser.open(index);
    const isOpen = () => tabs[index] === tab;
    const session = createSession({
      baseUrl: BASE_URL,
      clientKey: "test-client-key",
      retries: 0,
      ...(page && { store: page.store }),
      ...(!settings.hasNoRenew && { renew: ({ refreshToken = "" }) => renewAt(tab, refreshToken) }),
      ...settings.options,
      fetch: (input, init) =>
        isOpen()
          ? answer(tab, input instanceof Request ? input.url : String(input), init)
          : new Promise<never>(() => {}),
    });
    const tab: Tab = {
      index,
      session,
      page,
      asked: [],
      renewing: [],
      calls: new Set(),
      shown: undefined,
      endedAt: 0,
      landed: new Set(),
      events: [],
    };
    session.subscribe((event) => {
      if (isOpen()) heard(tab, event);
    });
    return tab;
  }

  function heard(tab: Tab, event: SessionEvent): void {
    oracle.event(tab, event);
    const now = server.byId(tab.session.current?.id);
    if (now) tab.shown = now;
    tab.events.push(event.type);
  }

  /** Answers a data call at once, and leaves an ending to a later step. */
  async function answer(tab: Tab, url: string, init: RequestInit | undefined): Promise<Response> {
    const token = new Headers(init?.headers).get("authorization")?.slice("Bearer ".length) ?? "";
    const path = url.slice(BASE_URL.length);
    if (path === "/v1/user") {
      const status = server.alive.has(token) ? 200 : 401;
      server.answers.push({ token, endpoint: "user", status });
      return new Response(null, { status });
    }
    const asked: Asked = {
      token,
      endpoint: path.endsWith("revoke") ? "revoke" : "logout",
      sentAt: server.count,
      known: oracle.asked(tab, token),
      resolve: () => {},
      reject: () => {},
    };
    const answered = new Promise<Response>((resolve, reject) => Object.assign(asked, { resolve, reject }));
    tab.asked.push(asked);
    init?.signal?.addEventListener("abort", () => {
      tab.asked = tab.asked.filter((one) => one !== asked);
      asked.reject(new Error("aborted"));
    });
    if (settings.isAutomatic) conclude(tab, "good", fault("request"));
    return answered;
  }

  function conclude(tab: Tab, kind: "good" | "bad" | "refused" | "lost", effect?: Effect): void {
    const asked = tab.asked.shift();
    if (!asked) return;
    const { token, endpoint, sentAt, known } = asked;
    const isProcessed = effect ? effect === "after" : kind === "good" || kind === "lost";
    const { status, ended } = isProcessed
      ? server.end(token, endpoint, sentAt)
      : { status: kind === "bad" ? 503 : 403, ended: [] };
    for (const other of ended) oracle.killed(other, token, known);
    if (kind === "lost" || effect) {
      asked.reject(new TypeError("fetch failed"));
      return;
    }
    server.answers.push({ token, endpoint, status });
    asked.resolve(new Response(JSON.stringify({ success: status === 200 }), { status }));
  }

  function renewAt(tab: Tab, refreshToken: string) {
    const isOpen = tabs[tab.index] === tab;
    const effect = settings.isAutomatic && isOpen ? fault("renewal") : undefined;
    const { signIn, token } = effect === "before" ? noRenewal : server.renew(refreshToken);
    return new Promise<SessionTokens | null>((resolve, reject) => {
      if (!isOpen) return;
      const land = (isLost: boolean) => {
        if (isLost) {
          if (token) oracle.lose(token);
          return reject(new Error("no answer"));
        }
        if (!signIn || !token) {
          if (signIn) signIn.isRenewalRefused = true;
          return resolve(null);
        }
        tab.landed.add(token);
        resolve({ accessToken: token, refreshToken: signIn.refreshToken, userId: signIn.userId });
      };
      if (settings.isAutomatic) return land(effect !== undefined);
      tab.renewing.push({ token, land });
    });
  }

  /** Notes an API call until it settles. */
  function track<T>(tab: Tab, name: string, promise: Promise<T>, check: (value: T) => void): void {
    const call = { name };
    tab.calls.add(call);
    promise.then(
      (value) => {
        tab.calls.delete(call);
        if (tabs[tab.index] === tab && tab.page?.isOpen !== false) check(value);
      },
      (error: unknown) => {
        tab.calls.delete(call);
        oracle.rejected(name, error);
      },
    );
  }

  function start(tab: Tab, grant: Grant, userId?: string, region: Region = "international"): void {
    startWith(tab, server.signIn(grant, userId, region));
  }

  function startWith(tab: Tab, signIn: SignIn): void {
    const { grant, userId, region, tokens, refreshToken } = signIn;
    const [accessToken = ""] = tokens;
    oracle.starting(tab, signIn);
    tab.landed.add(accessToken);
    const starting = tab.session.start({ accessToken, refreshToken, userId, grant, region });
    const { current } = tab.session;
    signIn.id = current?.id ?? "";
    if (tab.session.state !== "active") oracle.fail("start() returned, and the state is not active");
    tab.shown = signIn;
    track(tab, "start", starting, (result) => oracle.started(tab, signIn, result));
  }

  function end(tab: Tab, method: "end" | "logout" | "revoke", leaves = false): void {
    const candidates = oracle.ending(tab);
    if (tab.page) tab.page.isFenced = true;
    const caller = new AbortController();
    const ending = tab.session[method](leaves ? { signal: caller.signal } : {});
    // Unless a listener has started the next session.
    if (tab.session.state !== "signed-out" && server.signIns.length === tab.endedAt)
      oracle.fail(`${method}() returned, and the state is ${tab.session.state}`);
    if (leaves) caller.abort();
    track(tab, method, ending, (result) => oracle.ended(tab, candidates, result, method));
  }

  /** Opens the page again, whatever it was doing. */
  function reload(tab: Tab): void {
    const { page, index } = tab;
    if (!page) return;
    page.isOpen = false;
    for (const [id, timer] of clock.timers) if (timer.owner === index) clock.timers.delete(id);
    oracle.closed(tab);
    const fresh = open(index);
    tabs[index] = fresh;
    track(fresh, "ready", fresh.session.ready(), () => {});
  }

  function hear(tab: Tab): void {
    const { page, session } = tab;
    if (page) page.horizon = Number.POSITIVE_INFINITY;
    if (page?.onChange) page.onChange();
    else track(tab, "ready", session.ready(), () => {});
  }

  const isActive = ({ session }: Tab) => session.state === "active";
  const hasAsked = ({ asked }: Tab) => asked.length > 0;
  const isWhole = ({ page }: Tab) => page?.failing.times === 0;
  const failing =
    (skip: number, times: number, effect: Effect, kinds = "write remove") =>
    ({ page }: Tab) =>
      void Object.assign(page?.failing ?? {}, { skip, times, effect, kinds });
  const crash =
    (writes: number) =>
    ({ page }: Tab) =>
      void Object.assign(page ?? {}, { writesLeft: writes });
  const isFirm = ({ page }: Tab) => page?.writesLeft === Number.POSITIVE_INFINITY;
  const react = (type: SessionEvent["type"], call: "login" | "end") => (tab: Tab) => {
    const stop = tab.session.subscribe((event) => {
      if (event.type !== type || tabs[tab.index] !== tab || oracle.isResting) return;
      stop();
      if (call === "end") end(tab, "end");
      else start(tab, "login", "a");
    });
  };

  /** Each step: its condition, and its action. */
  const steps = {
    login: [() => server.signIns.length < 4, (tab: Tab) => start(tab, "login")],
    /** Two calls of start() with the same tokens. */
    "start twice": [
      () => server.signIns.length < 4,
      (tab: Tab) => {
        const signIn = server.signIn("login", "a", "international");
        startWith(tab, signIn);
        startWith(tab, Object.assign(signIn, { isRestarted: true }));
      },
    ],
    "login as a": [() => server.signIns.length < 4, (tab: Tab) => start(tab, "login", "a")],
    start: [() => server.signIns.length < 4, (tab: Tab) => start(tab, "oauth", "a")],
    "start as another": [() => server.signIns.length < 4, (tab: Tab) => start(tab, "oauth", "b")],
    "start in the us": [() => server.signIns.length < 4, (tab: Tab) => start(tab, "oauth", "a", "us")],
    end: [({ calls }: Tab) => calls.size < 2, (tab: Tab) => end(tab, "end")],
    logout: [({ calls }: Tab) => calls.size < 2, (tab: Tab) => end(tab, "logout")],
    revoke: [({ calls }: Tab) => calls.size < 2, (tab: Tab) => end(tab, "revoke")],
    "end and leave": [({ calls }: Tab) => calls.size < 2, (tab: Tab) => end(tab, "end", true)],
    flush: [
      ({ session, calls }: Tab) => session.pending > 0 && calls.size < 2,
      (tab: Tab) => track(tab, "flush", tab.session.flush(), (ends) => oracle.flushed(tab, ends)),
    ],
    good: [hasAsked, (tab: Tab) => conclude(tab, "good")],
    bad: [hasAsked, (tab: Tab) => conclude(tab, "bad")],
    refused: [hasAsked, (tab: Tab) => conclude(tab, "refused")],
    lost: [hasAsked, (tab: Tab) => conclude(tab, "lost")],
    /** The access token expires, and a data call finds out. */
    renew: [
      (tab: Tab) =>
        isActive(tab) &&
        tab.shown?.grant === "oauth" &&
        (settings.isReusable ? [tab] : tabs).every(({ renewing }) => renewing.length === 0),
      (tab: Tab) => {
        if (settings.hasNoRenew && tab.shown) tab.shown.mayEnd = true;
        const isKnown = (token: string) => tab.page?.known.has(token) || tab.landed.has(token);
        oracle.expire(tab.shown?.tokens.filter(isKnown).at(-1) ?? "");
        track(
          tab,
          "fetch",
          tab.session.fetch("/v1/user").then(
            () => {},
            () => {},
          ),
          () => {},
        );
      },
    ],
    land: [({ renewing }: Tab) => renewing.length > 0, ({ renewing }: Tab) => renewing.shift()?.land(false)],
    "land nothing": [
      ({ renewing }: Tab) => renewing.length > 0,
      ({ renewing }: Tab) => renewing.shift()?.land(true),
    ],
    hear: [({ page }: Tab) => !!page && (!page.onChange || page.heard < browser.writes), hear],
    stale: [
      ({ page }: Tab) => !!page && page.horizon > browser.writes,
      ({ page }: Tab) => void Object.assign(page ?? {}, { horizon: browser.writes }),
    ],
    reload: [({ page }: Tab) => !!page && browser.writes > 0, reload],
    "crash at once": [isFirm, crash(0)],
    "crash after a write": [isFirm, crash(1)],
    fail: [isWhole, failing(0, 1, "before")],
    "fail twice": [isWhole, failing(0, 2, "before")],
    "fail later": [isWhole, failing(1, 2, "before")],
    unheard: [isWhole, failing(0, 1, "after")],
    "unheard twice": [isWhole, failing(0, 2, "after")],
    "unheard later": [isWhole, failing(1, 2, "after")],
    down: [isWhole, failing(0, Number.POSITIVE_INFINITY, "before")],
    full: [isWhole, failing(0, Number.POSITIVE_INFINITY, "before", "write")],
    unread: [isWhole, failing(0, 1, "before", "read")],
    "unread thrice": [isWhole, failing(0, 3, "before", "read")],
    clear: [
      () => browser.held.size > 0,
      () => {
        oracle.cleared();
        browser.clear();
      },
    ],
    deliver: [({ page }: Tab) => !!page?.waiting.length, ({ page }: Tab) => page?.waiting.shift()?.run()],
    /** Longer than the pause between attempts, and shorter than a deadline. */
    wait: [
      ({ index }: Tab) => [...clock.timers.values()].some(({ owner }) => owner === index),
      () => clock.advance(600),
    ],
    "wait long": [
      ({ index }: Tab) => [...clock.timers.values()].some(({ owner }) => owner === index),
      () => clock.advance(6_000),
    ],
    "start at the renewal": [isActive, react("renewed", "login")],
    "end at the renewal": [isActive, react("renewed", "end")],
    "start at the end": [isActive, react("signed-out", "login")],
    "end at the answer": [isActive, react("settled", "end")],
  } as const satisfies Record<string, readonly [(tab: Tab) => boolean, (tab: Tab) => unknown]>;

  const tabOf = (index: number): Tab => tabs[index] ?? open(index);

  async function act(index: number, run: (tab: Tab) => unknown): Promise<void> {
    if (!isStill) await clock.advance(1);
    clock.owner = index;
    const tab = tabOf(index);
    const running = run(tab);
    await settle();
    await running;
    for (const { page } of settings.isAutomatic ? tabs : [])
      for (let call = page?.waiting.shift(); call; call = page?.waiting.shift()) {
        call.run();
        await settle();
      }
    for (const one of tabs)
      if (one.page && !one.page.isOpen) {
        reload(one);
        await settle();
      }
    for (const one of tabs) oracle.looked(one);
  }

  tabs.push(open(0), open(1));

  /** Lets the stores answer, the renewals land, and the tabs hear, until they write no more. */
  async function rest(isForced = false): Promise<void> {
    for (let round = 0; round < 8; round++) {
      let isQuiet = true;
      for (const index of tabs.keys())
        for (const step of [steps.deliver, steps.land, steps.hear]) {
          const isHeard = isForced && round === 0 && step === steps.hear && !settings.hasNoStore;
          for (let count = 0; (isHeard && count === 0) || (step[0](tabOf(index)) && count < 50); count++) {
            await act(index, step[1]);
            isQuiet = false;
          }
        }
      if (isQuiet) return;
    }
    oracle.fail("the tabs write for ever");
  }

  return {
    steps,
    tabs,
    browser,
    server,
    oracle,
    /** Plays a step such as `login A`; returns false if there is nothing to do. */
    async play(step: string): Promise<boolean> {
      const index = step.endsWith(" B") ? 1 : 0;
      const found = Object.entries(steps).find(([name]) => name === step.slice(0, -2));
      if (!found) throw new Error(`Unknown step: ${step}.`);
      const [, [isPossible, run]] = found;
      if (!isPossible(tabOf(index))) return false;
      await act(index, run);
      return true;
    },
    isPossible(step: string): boolean {
      const [isPossible] = steps[step.slice(0, -2) as keyof typeof steps];
      return isPossible(tabOf(step.endsWith(" B") ? 1 : 0));
    },
    /** Returns a string that is equal for worlds that cannot be told apart. */
    snapshot(): string {
      const { signIns, alive } = server;
      const state = [
        signIns.map(({ endedBy, ...rest }) => ({ ...rest, endedBy: [...endedBy] })),
        [...alive.keys()],
        [...browser.held],
        tabs.map(({ session, page, asked, renewing, calls, shown, endedAt, landed, events }) => [
          session.state,
          session.current?.id,
          session.pending,
          asked.map(({ token, endpoint, sentAt }) => [token, endpoint, sentAt]),
          renewing.map(({ token }) => token ?? ""),
          [...calls].map(({ name }) => name),
          shown?.at,
          [...landed],
          events.at(-1),
          page && [
            page.read,
            page.heard === browser.writes,
            page.horizon < browser.writes && browser.seenBy(page),
            page.isReadFailing,
            page.isFenced && endedAt,
            page.writesLeft,
            page.failing,
            page.waiting.map(({ name }) => name),
            [...page.failedKeys],
            !page.onChange,
          ],
        ]),
        oracle.notes(),
        [...clock.timers.values()].map(({ at, owner }) => [Math.round(at), owner]).sort(),
        clock.now,
      ];
      const text = JSON.stringify(state);
      // Only the order of moments matters.
      const ids = new Map<string, string>(signIns.map(({ id, at }) => [id, `#${at}`]));
      const named = text.replace(/18\d{11}-[\d.]+/g, (id) => ids.get(id) ?? id);
      const moments = [...new Set(named.match(/18\d{11}/g))].sort();
      const ranks = new Map(moments.map((moment, rank) => [moment, `t${rank}`]));
      return named.replace(/18\d{11}/g, (moment) => ranks.get(moment) ?? "");
    },
    /** Lets everything come to rest, answers every request, and checks what must be true then. */
    async verdict(): Promise<string | undefined> {
      oracle.isResting = true;
      for (const { page } of tabs)
        Object.assign(page ?? {}, {
          writesLeft: Number.POSITIVE_INFINITY,
          failing: { skip: 0, times: 0, kinds: "", effect: undefined },
        });
      await rest(true);
      oracle.account("before the pending endings are sent");
      const isBusy = () =>
        tabs.some(({ session, asked, calls }) => session.pending > 0 || asked.length > 0 || calls.size > 0);
      for (let round = 0; round < 6 && isBusy(); round++) {
        for (const index of tabs.keys())
          for (let count = 0; tabOf(index).asked.length > 0 && count < 20; count++)
            await act(index, steps.good[1]);
        await rest();
        // A store that answers by hand has to answer in between.
        for (let part = 0; part < (isSlow ? 10 : 1); part++) {
          await clock.advance((round < 2 ? 6_000 : LONG_MS) / (isSlow ? 10 : 1));
          if (isSlow) await rest();
        }
        for (const index of tabs.keys()) if (steps.flush[0](tabOf(index))) await act(index, steps.flush[1]);
        await rest();
      }
      oracle.account("at the end");
      const { writes } = browser;
      await rest(true);
      if (browser.writes > writes) oracle.fail("the tabs write when nothing happens");
      return oracle.problem;
    },
    elapsed: () => clock.now - EPOCH,
  };
}

export type World = ReturnType<typeof createWorld>;
