/**
 * The session of one user: wires the parts, and says what this tab shows. What is known of sessions is in the ledger;
 * beside it a tab knows only which session it last showed, and all that it does follows from the difference.
 */
import { bindingsOver } from "./bindings.ts";
import { createEarly } from "./early.ts";
import { createEndings } from "./endings.ts";
import type { SessionError } from "./errors.ts";
import { createEmitter, type SessionEvent } from "./events.ts";
import type { paths } from "./generated/schema.ts";
import {
  type Advance,
  type Ledger,
  newestOf,
  pendingOf,
  type Shown,
  sessionFor,
  sessionOf,
} from "./ledger.ts";
import { listen } from "./listening.ts";
import { endWithoutSession } from "./no-session.ts";
import { checkOptions, type NewSession, type SessionOptions } from "./options.ts";
import { probe } from "./probe.ts";
import {
  asOver,
  asPending,
  type Endpoint,
  endpointOf,
  isLive,
  isPending,
  type LiveRecord,
  type SessionRecord,
} from "./record.ts";
import { createRenewals } from "./renewal.ts";
import { createRequests } from "./requests.ts";
import { within } from "./scope.ts";
import { memoryStore } from "./stores/memory.ts";
import { createSync } from "./sync.ts";
import { adopted, createRecord } from "./tokens.ts";
import type { EndOptions, FencedPaths, Session, SessionEnd } from "./types.ts";

/** Renew so long before an access token expires, in ms, as the API's documentation advises. */
const AHEAD = 300_000;

/**
 * Creates the session of one user. It does no I/O and sets no timer, so in a page it may stand at module
 * scope; on a server, make one for each request.
 *
 * @typeParam Paths - the `paths` of another specification, generated with `codegen`
 * @throws SessionError `invalid-option`, naming the option
 */
export function createSession<Paths extends object = paths>(options: SessionOptions): Session<Paths> {
  const config = checkOptions(options);
  const { origin, timeout } = config;
  const store = options.store ?? memoryStore();
  const policy = { keeps: config.onUnconfirmed === "keep", renews: config.renew !== undefined };
  const events = createEmitter();
  const onFailed = (error: SessionError) => events.emit({ type: "store-failed", error });
  const sync = createSync(store, origin, policy, {
    adopt: (text) => adopted(text, origin, config.region),
    onFound,
    onMoved,
    onRead,
    onFailed,
    together: events.together,
  });
  const early = createEarly();
  const renew = createRenewals(config, { newer, onRenewed });
  const endings = createEndings(config, sync, events, renew);
  const requests = createRequests(config, { current, onRefused });

  /** The session that this tab shows, or the last that it showed. */
  let shown: Shown | undefined;
  /** The reason of the next `signed-out` event; undefined while `start()` replaces the session, which emits none. */
  let reason: SessionEvent["reason"] | undefined = "elsewhere";
  /** What ends the listening, once it has begun. */
  let stop: (() => void) | undefined;

  const signOutUnauthorized = (record: SessionRecord) =>
    because("unauthorized", () => sync.join([asOver(record, Date.now())]));
  const showing = (ledger = sync.ledger) => sessionFor(shown, ledger);

  function because<T>(why: typeof reason, change: () => T): T {
    return events.together(() => {
      reason = why;
      try {
        return change();
      } finally {
        reason = "elsewhere";
      }
    });
  }

  function onMoved(before: Ledger, givenUp: Advance["givenUp"]): void {
    const was = showing(before);
    const now = showing();
    if (was && was.id !== now?.id) {
      // At a 401, what is in flight still has an answer of its own coming.
      if (reason !== "unauthorized") requests.abort();
      if (reason) events.emit({ type: "signed-out", reason });
    }
    if (now && now.id !== was?.id) events.emit({ type: "started" });
    else if (now && was && now.generation > was.generation) events.emit({ type: "renewed" });
    if (now) shown = { id: now.id, userId: now.userId };
    endings.review(before, givenUp);
  }

  /** Reads the store where that was never done, or where it answers at once; a promise only where it does not. */
  const look = () => (sync.isRestored ? void sync.readAtOnce() : restore());

  function restore(): Promise<void> | undefined {
    stop ??= listen(store, { onChange: () => void sync.read(), onOnline: () => void flush(), onFailed });
    return sync.read();
  }

  function onFound(record: SessionRecord): SessionRecord {
    const own = sync.isRestored ? undefined : sessionOf(sync.ledger);
    const { startedAt } = record;
    // What was started here before the store was read is newer than what was there, also by a clock that was set back.
    if (own && (startedAt === own.startedAt || startedAt > Date.now()))
      sync.join([{ ...own, startedAt: startedAt + 1 }]);
    return early.meet(record);
  }

  function onRead(isFirst: boolean): void {
    if (early.meant && !sync.readError) {
      early.clear();
      // In its turn: within start() that is after the newer session is known, which a revoke must not end.
      events.defer(endings.sweep);
    } else if (isFirst && !shown && !early.meant) events.emit({ type: "signed-out" });
  }

  async function start(session: NewSession): Promise<void> {
    const record = createRecord(session, origin, config.region, Date.now());
    const idle = because(undefined, () => {
      requests.abort();
      // Nothing else is shown any more, whatever the read finds.
      shown = { id: record.id, userId: undefined };
      // What it finds beside a newer session is ended.
      look()?.then(endings.sweep);
      const known = newestOf(sync.ledger)?.startedAt ?? 0;
      sync.join([{ ...record, startedAt: Math.max(record.startedAt, known + 1) }]);
      endings.sweep();
      return sync.idle();
    });
    if (idle) await within(timeout, idle);
  }

  /** The session to send with; renewed first where its access token is about to expire. */
  function current(): LiveRecord | undefined | Promise<LiveRecord | undefined> {
    const reading = sync.isRestored ? undefined : restore();
    if (reading) return reading.then(current);
    const record = showing();
    const isDue = (record?.tokens.expiresAt ?? Number.POSITIVE_INFINITY) - AHEAD <= Date.now();
    const renewal = record && isDue ? renew(record) : undefined;
    return renewal ? renewal.then(() => showing()) : record;
  }

  function onRefused(record: LiveRecord, isReplay: boolean) {
    // The same session with other tokens; not another one of the same user.
    const next = () => {
      const now = showing();
      return now?.id === record.id && now.generation > record.generation ? now : undefined;
    };
    // Another tab may have renewed it, or ended it.
    sync.readAtOnce();
    const now = showing();
    if (now?.id !== record.id || now.generation !== record.generation) return next();
    const renewal = isReplay ? undefined : renew(record);
    // Without a renewal, or with one that was of no use. One that comes to nothing changes nothing.
    if (!renewal) signOutUnauthorized(record);
    return renewal?.then(next);
  }

  async function newer({ id, generation }: SessionRecord): Promise<SessionRecord | undefined> {
    const reading = sync.read();
    if (reading) await within(timeout, reading);
    const record = sync.ledger.get(id);
    return record?.tokens && record.generation > generation ? record : undefined;
  }

  function onRenewed(record: SessionRecord, next: SessionRecord | null): void {
    events.together(() => {
      // It may have been ended elsewhere meanwhile.
      sync.readAtOnce();
      if (next) sync.join([next]);
      else if (showing()?.id === record.id) signOutUnauthorized(record);
      // One that has landed after the ending is ended, too.
      if (!isLive(sync.ledger.get(record.id))) endings.sweep();
    });
  }

  function finish(named?: Endpoint, { signal }: EndOptions = {}): Promise<SessionEnd> {
    const endsAt = Date.now() + timeout;
    return events.together(() => {
      const target = showing();
      const before = early.meant ?? pendingOf(sync.ledger);
      if (!early.meant && (!sync.isRestored || (!target && sync.readError))) {
        early.call(named, before);
        if (!sync.isRestored && !target && !shown) events.emit({ type: "signed-out", reason: "ended" });
      }
      const reading = look();
      const endpoint = named ?? (target ? endpointOf(target.grant) : "logout");
      const wait = { endpoint, endsAt, before, reading, signal };
      if (!target) return endWithoutSession(sync, endings, wait);
      // Another tab may have replaced it by a newer one, which is not what was meant.
      const record = sync.ledger.get(target.id);
      if (record?.tokens) return because("ended", () => endings.end(record, endpoint, endsAt, signal));
      const pending = asPending(target, Date.now(), endpoint);
      return endWithoutSession(sync, endings, { ...wait, before: [pending].filter(isPending) });
    });
  }

  async function flush(): Promise<SessionEnd[]> {
    const before = pendingOf(sync.ledger);
    const isFirst = !sync.isRestored;
    const reading = isFirst ? restore() : sync.read();
    // No wait without need: in between, another tab may begin to send the same.
    if (reading) await (isFirst ? reading : within(timeout, reading));
    return endings.flush(Date.now() + timeout, before);
  }

  const close = () => {
    stop?.();
    stop = () => {};
    endings.close();
    events.close();
  };

  return {
    get state() {
      if (showing()) return "active";
      return sync.isRestored || early.meant || shown ? "signed-out" : "restoring";
    },
    get pending() {
      return pendingOf(sync.ledger).length;
    },
    client: bindingsOver<Omit<Paths, FencedPaths>>(config.baseUrl, requests.fetch),
    ready: () => flush().then(() => {}),
    start,
    fetch: requests.fetch,
    subscribe: events.subscribe,
    logout: (options) => finish("logout", options),
    revoke: (options) => finish("revoke", options),
    end: (options) => finish(undefined, options),
    flush,
    probe: (target) => probe(config, target),
    close,
    [Symbol.dispose]: close,
  };
}
