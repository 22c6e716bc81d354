/**
 * The session of one user: creates the parts, and says in which order each public call uses them.
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
  const endings = createEndings(config, createAsk(config), state, renewals, events);
  const requests = createRequests<Omit<Paths, FencedPaths>>(config, state, renewals, flights);
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
      // A session that only the read finds: another tab of this user started it, or this tab has shown none yet.
      const endFound = () =>
        (fence?.found ?? [])
          .filter((id) => id !== remembered?.id)
          .map((id) => ledger.records.get(id))
          .filter((record) => record !== undefined)
          .map((record) => endRecord(record, named, deadline.left()));
      const begun = remembered ? [endRecord(remembered, named, timeout)] : [];
      if (!reading) begun.push(...endFound());

      async function finish(): Promise<SessionEnd> {
        const isRead = !reading || (await deadline.race(reading).then(yes, no));
        if (fence) fence.isAwaited = false;
        const ends = await Promise.all(reading ? [...begun, ...endFound()] : begun);
        if (ends.length === 0) {
          const all = new Map([...pending, ...(fence?.pending ?? [])].map((record) => [record.id, record]));
          ends.push(...(await Promise.all([...all.values()].map((record) => endPending(record, deadline)))));
        }
        if (ends.length === 0) ends.push(...(await Promise.all(running)));
        // The store still holds the token of a session that has ended.
        const stuck = ends.length === 0 && [...ledger.records.values()].find(isStuck);
        if (stuck) ends.push(endings.report(stuck));
        deadline.dispose();
        const last = ends.find(({ server }) => server === "unconfirmed") ?? ends.at(-1);
        return last ?? endNothing(named ?? "logout", isRead);
      }
      const finished = finish();
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
