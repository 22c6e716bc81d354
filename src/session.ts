/**
 * The session of one user: creates the parts, and says in which order each public call uses them.
 *
 * An ending goes through `state.ts` (signed out at once; the record is pending, and `wanted()` decides which tokens
 * the store keeps), `endings.ts` (one attempt; a 401 to a revoke renews in `conclude()`; `recordAnswer()` makes the
 * record over, or leaves it pending, as without a network) and `ask.ts` (the table of answers).
 */
import { createAsk } from "./ask.ts";
import { subscribeTo } from "./change-sources.ts";
import { createDeadline, type Deadline, within } from "./deadline.ts";
import { createEndings } from "./endings.ts";
import { SessionError } from "./errors.ts";
import { createEmitter } from "./events.ts";
import type { paths } from "./generated/schema.ts";
import { pendingOf } from "./ledger.ts";
import { checkOptions, createRecord, type NewSession, type SessionOptions } from "./options.ts";
import {
  asPending,
  type Endpoint,
  isOver,
  isPending,
  type PendingRecord,
  type SessionRecord,
} from "./record.ts";
import { createRenewals } from "./renewal.ts";
import { createRequests } from "./requests.ts";
import { createState } from "./state.ts";
import { createTransport } from "./transport.ts";
import type { CurrentSession, EndOptions, FencedPaths, Session, SessionEnd, SessionStart } from "./types.ts";

/**
 * Creates the session of one user. It does no I/O and sets no timer, so in a page it may stand at module scope; on a
 * server, create one for each request.
 *
 * @typeParam Paths - the `paths` of another specification, generated with `codegen`
 * @throws SessionError `invalid-option`, naming the option
 */
export function createSession<Paths extends object = paths>(options: SessionOptions): Session<Paths> {
  const config = checkOptions(options);
  const { timeout } = config;
  const events = createEmitter(config.debug);
  /** The data calls in flight. */
  const flights = new Set<Deadline>();
  const state = createState(config, events, flights);
  const renewals = createRenewals(config, state, events);
  const transport = createTransport(config);
  const endings = createEndings(config, createAsk(config, transport), state, renewals, events);
  const requests = createRequests<Omit<Paths, FencedPaths>>(config, transport, state, renewals, flights);
  const { ledger, sync } = state;
  let unsubscribe: (() => void) | undefined;
  let current: CurrentSession | undefined;

  /** Listens for changes from the first call on that needs the store. */
  function listen(): void {
    unsubscribe ??= subscribeTo(
      config.store,
      events,
      () => void state.read(),
      () => void flush(),
    );
  }

  async function start(session: NewSession): Promise<SessionStart> {
    const record = createRecord(session, config, Date.now());
    listen();
    events.batch(() => {
      state.start(record);
      void retry();
    });
    await within(timeout, sync.idle());
    if (!config.store) return { local: "memory" };
    if (sync.holds(record.id)) return { local: "stored" };
    return { local: "failed", storeError: sync.errorOf(record.id) };
  }

  /** Retries the pending endings. */
  const retry = () => Promise.all(pendingOf(ledger).map(({ id }) => endings.send(id)));

  async function flush(): Promise<SessionEnd[]> {
    listen();
    await (sync.isRestored ? within(timeout, state.read()) : state.restore());
    if (!sync.isRestored) return [];
    return (await retry()).filter((end) => end !== undefined);
  }

  /** Ends one session: joins its attempt, or asks with the token that is left. */
  function endRecord(record: SessionRecord, named: Endpoint | undefined, ms: number): Promise<SessionEnd> {
    const known = ledger.records.get(record.id);
    const proven = isOver(known) ? endings.report(known) : undefined;
    if (proven && proven.server !== "unconfirmed") return Promise.resolve(proven);
    // Another tab may have named the endpoint, and dropped the token.
    const left = known?.tokens ? known : { ...record, ending: known?.ending };
    const target = asPending(left, Date.now(), named) as PendingRecord;
    return endings.begin(target, ms, "ended");
  }

  function endCurrent(named?: Endpoint, { signal }: EndOptions = {}): Promise<SessionEnd> {
    listen();
    return events.batch(() => {
      const deadline = createDeadline(timeout);
      const remembered = state.remembered();
      const pending = pendingOf(ledger);
      const running = endings.running();
      const { fence, reading } = config.store ? state.raiseFence(named) : {};
      const begun = remembered ? [endRecord(remembered, named, timeout)] : [];
      // Another tab of this user started it, or this tab has shown none yet.
      const endFound = () => {
        for (const id of fence?.found ?? []) {
          const record = id === remembered?.id ? undefined : ledger.records.get(id);
          if (record) begun.push(endRecord(record, named, deadline.left()));
        }
      };
      if (!reading) endFound();

      /** Where the result comes from: the first of these that has one. */
      const sources: (() => Promise<SessionEnd>[])[] = [
        () => begun,
        () => {
          const all = new Map([...pending, ...(fence?.pending ?? [])].map((record) => [record.id, record]));
          return [...all.values()].map((record) => endPending(record, deadline));
        },
        () => running,
        // The store still holds the token of a session that has ended.
        () => [...ledger.records.values()].filter(isStuck).map(async (record) => endings.report(record)),
      ];

      async function finish(): Promise<SessionEnd> {
        const isRead = !reading || (await deadline.race(reading).then(yes, no));
        if (fence) fence.isAwaited = false;
        if (reading) endFound();
        for (const source of sources) {
          const ends = await Promise.all(source());
          const end = ends.find(({ server }) => server === "unconfirmed") ?? ends.at(-1);
          if (end) return end;
        }
        return endNothing(named ?? "logout", isRead);
      }
      const finished = finish().finally(deadline.dispose);
      if (!signal) return finished;
      const caller = createDeadline(undefined, signal);
      return caller
        .race(finished)
        .catch((error: SessionError) => {
          const record = remembered ?? pending[0] ?? fence?.pending[0];
          if (record) return endings.unfinished(record, named, error);
          return { ...endNothing(named ?? "logout", !reading), server: "unconfirmed" as const, error };
        })
        .finally(caller.dispose);
    });
  }

  /** Returns the result of an ending that was pending before the call. */
  async function endPending(record: PendingRecord, limit: Deadline): Promise<SessionEnd> {
    const known = ledger.records.get(record.id);
    if (isOver(known)) return endings.report(known);
    // Its attempt may have begun after this call, with a later deadline.
    const sent = await limit.race(endings.send(record.id, limit)).catch((error: SessionError) => error);
    if (sent && !(sent instanceof SessionError)) return sent;
    return endings.unfinished(record, undefined, sent ?? inOtherTab());
  }

  const isStuck = (record: SessionRecord) => isOver(record) && sync.localOf(record.id, true) === "failed";

  const inOtherTab = () => new SessionError("elsewhere", "another tab or process may be sending it");

  /** Returns the result of an ending that found no session and no ending of its own. */
  function endNothing(endpoint: Endpoint, isRead: boolean): SessionEnd {
    const unread = isRead ? undefined : new SessionError("store-failed", "the store did not answer in time");
    const storeError = sync.readError() ?? unread;
    if (storeError)
      return { endpoint, server: "unconfirmed", local: "failed", error: storeError, storeError };
    return { endpoint, server: "no-session", local: "cleared" };
  }

  function close(): void {
    unsubscribe?.();
    unsubscribe = () => {};
    endings.close();
    events.clear();
  }

  return {
    get state() {
      return state.state;
    },
    get current() {
      const record = state.showing();
      const { id, userId, startedAt } = record ?? {};
      const isSame = current?.id === id && current?.userId === userId && current?.startedAt === startedAt;
      if (!isSame)
        current =
          record &&
          Object.freeze({
            id: record.id,
            userId,
            grant: record.grant,
            region: record.region,
            startedAt: record.startedAt,
          });
      return current;
    },
    get pending() {
      let count = 0;
      for (const record of ledger.records.values()) if (isPending(record)) count++;
      return count;
    },
    client: requests.client,
    ready: () => within(timeout, flush()).then(() => {}),
    start,
    fetch: requests.fetch,
    subscribe: events.subscribe,
    end: (options) => endCurrent(undefined, options),
    logout: (options) => endCurrent("logout", options),
    revoke: (options) => endCurrent("revoke", options),
    flush,
    close,
    [Symbol.dispose]: close,
  };
}

const yes = () => true;
const no = () => false;
