/**
 * The state of one session object: the ledger, the store it is kept equal to, and the session that this tab shows. Every
 * change goes through `commit`: ledger, rules, then whatever follows from the difference. Requests are sent by others.
 */
import { type Deadline, within } from "./deadline.ts";
import { SessionError } from "./errors.ts";
import type { Emitter, SessionEvent } from "./events.ts";
import { jsonOf } from "./json.ts";
import { type Changes, createLedger } from "./ledger.ts";
import { type Config, createRecord, type NewSession } from "./options.ts";
import {
  asPending,
  type Endpoint,
  isLive,
  isOver,
  isPending,
  type LiveRecord,
  type PendingRecord,
  type SessionRecord,
} from "./record.ts";
import { createSync, type Snapshot } from "./sync.ts";
import type { SessionState } from "./types.ts";

/** Up to when sessions are to be ended: set by an ending before it reads the store, cleared by that read. */
export interface Fence {
  at: number;
  endpoint: Endpoint | undefined;
  /** The session that this tab showed when the fence was set. */
  shown: SessionRecord | undefined;
  /** Ids of the records that a read found and the fence ended. */
  found: string[];
  /** The records that a read found pending. */
  pending: PendingRecord[];
  /** The call that set the fence is waiting to send them. */
  isAwaited: boolean;
}

type Reason = NonNullable<SessionEvent["reason"]>;

/** Called inside each change, with the records as they were before, and the endings that this tab has to send. */
export type Observer = (
  changes: Changes,
  toSend: readonly PendingRecord[],
  /** Ids of the endings that another tab stored. */
  elsewhere: ReadonlySet<string>,
) => void;

export type State = ReturnType<typeof createState>;

/** Returns whether a tab that last showed one session would show another: the same, or one of the same known user. */
const matches = (shown: SessionRecord | undefined, record: SessionRecord): boolean =>
  !shown ||
  shown.id === record.id ||
  (shown.userId !== undefined && shown.userId === record.userId && shown.region === record.region);

const isProven = ({ outcome }: SessionRecord) => outcome !== "unconfirmed" && outcome !== "expired";

export function createState(config: Config, events: Emitter, flights: Set<Deadline>) {
  const { renew, onUnconfirmed, timeout } = config;
  const ledger = createLedger();
  const sync = createSync(config, wanted, events);
  /** Ids of the records that this tab made pending. */
  const own = new Set<string>();
  const observers: Observer[] = [];
  /** The session that this tab shows, or showed last; without tokens once their end is known. */
  let shown: SessionRecord | undefined;
  let fence: Fence | undefined;
  /** The first read. */
  let restoring: Promise<void> | undefined;
  /** The first read has succeeded or failed, or is late. */
  let isSettled = false;

  /** Returns the record as the store should hold it: the options of this tab decide over its own endings only. */
  function wanted(id: string): SessionRecord | undefined {
    const record = ledger.records.get(id);
    if (!isPending(record) || !own.has(id)) return record;
    if (onUnconfirmed === "discard") return { ...record, tokens: undefined, outcome: "unconfirmed" };
    const { accessToken, refreshToken } = record.tokens;
    return renew || !refreshToken ? record : { ...record, tokens: { accessToken } };
  }

  function showing(): LiveRecord | undefined {
    const { session } = ledger;
    return session && matches(shown, session) ? session : undefined;
  }

  function commit(
    copies: Iterable<SessionRecord>,
    reason: Reason = "elsewhere",
    /** Ids of endings that other tabs stored, and of records that are forgotten. */
    {
      ended = new Set(),
      forgotten = [],
    }: { ended?: ReadonlySet<string>; forgotten?: readonly string[] } = {},
  ): void {
    events.batch(() => {
      const was = showing();
      const changes = ledger.apply(copies, forgotten, Date.now());
      if (changes.size === 0) return;
      const toSend: PendingRecord[] = [];
      for (const [id, before] of changes) {
        sync.mark(id);
        const after = ledger.records.get(id);
        const isNew = isPending(after) && !(isPending(before) && before.generation === after.generation);
        if (!isPending(after)) own.delete(id);
        if (!isNew || ended.has(id)) continue;
        own.add(id);
        if (!fence?.isAwaited || !fence.found.includes(id)) toSend.push(after);
      }
      moved(was, reason);
      for (const observer of observers) observer(changes, toSend, ended);
      events.defer(sync.run);
    });
  }

  function abortFlights(message: string): void {
    for (const flight of flights) flight.abort(new SessionError("session-ended", message));
    flights.clear();
  }

  /** Compares the session that this tab showed before a change with the one it shows now. */
  function moved(was: LiveRecord | undefined, reason: Reason): void {
    const now = showing();
    if (was && was.id !== now?.id) {
      // After a 401, each request in flight gets an answer of its own.
      if (reason !== "unauthorized")
        abortFlights("the session ended, and the request may have run on the server");
      flights.clear();
      events.emit({ type: "signed-out", reason });
    }
    if (now && now.id !== was?.id) events.emit({ type: "started" });
    else if (now && was && now.generation > was.generation) events.emit({ type: "renewed" });
    const known = shown && ledger.records.get(shown.id);
    if (now) shown = now;
    else if (isOver(known) && isProven(known)) shown = known;
  }

  /** Takes over the content of the store. `mine`: the fence when the read was asked for. */
  function apply(snapshot: Snapshot | undefined, mine: Fence | undefined): void {
    const isSilent = isSettled || fence !== undefined;
    isSettled = true;
    if (snapshot) {
      const now = Date.now();
      // A session that was started here before the store could be read is newer than those in the store, also if the
      // clock was set back; a later start of another tab is not ahead of the clock.
      const { newest } = ledger;
      let lifted = snapshot.isFirst ? newest : undefined;
      const copies: SessionRecord[] = [];
      for (const record of snapshot.found) {
        if (
          lifted &&
          record.id !== lifted.id &&
          (record.startedAt === lifted.startedAt || record.startedAt > now)
        )
          lifted = { ...lifted, startedAt: Math.max(lifted.startedAt, record.startedAt + 1) };
        copies.push(endIfFenced(record, now));
      }
      if (lifted && lifted !== newest) copies.push(lifted);
      const forgotten: string[] = [];
      for (const id of snapshot.gone) {
        const record = ledger.records.get(id);
        // Storage was cleared. This tab still has the token, so it ends the session on the server.
        if (isLive(record)) copies.push(asPending(record, now, fence?.endpoint));
        else if (isOver(record)) forgotten.push(id);
      }
      const adopted = snapshot.documented && adopt(snapshot.documented, snapshot.found);
      if (adopted) copies.push(endIfFenced(adopted, now));
      const ended = new Set(snapshot.found.filter(({ ending }) => ending).map(({ id }) => id));
      commit(copies, "elsewhere", { ended, forgotten });
      if (fence === mine) fence = undefined;
      events.defer(sync.run);
    }
    if (!isSilent && !shown) events.emit({ type: "signed-out" });
  }

  /** Returns a found record, pending if the fence is to end it. */
  function endIfFenced(record: SessionRecord, now: number): SessionRecord {
    if (isPending(record)) fence?.pending.push(record);
    if (!fence || !isLive(record) || ledger.records.get(record.id)?.ending || !matches(fence.shown, record))
      return record;
    // A start that is ahead of the clock precedes the ending, too.
    if (record.startedAt > now) fence.at = Math.max(fence.at, record.startedAt);
    if (record.startedAt > fence.at) return record;
    fence.found.push(record.id);
    return asPending(record, now, fence.endpoint);
  }

  /** Returns the record of tokens that other code stored, unless a session is known or a record has that token. */
  function adopt(documented: string, found: readonly SessionRecord[]): SessionRecord | undefined {
    const { accessToken, refreshToken, userId } = jsonOf(documented);
    const known = [...ledger.records.values(), ...found];
    if (known.some(({ tokens }) => tokens && tokens.accessToken === accessToken)) return void sync.adopted();
    if (known.some(isLive)) return undefined;
    try {
      // Only an authorization has a refresh token. When the session began is not known: as early as possible.
      const given = { accessToken, refreshToken, userId, grant: refreshToken ? "oauth" : "login" };
      const startedAt = known.reduce((latest, record) => Math.max(latest, record.startedAt), 0) + 1;
      const record = createRecord(given as NewSession, config, startedAt);
      sync.adopted();
      return record;
    } catch {
      return undefined;
    }
  }

  /** Reads the store. Returns a promise only if the store does not answer at once; it never rejects. */
  function read(): Promise<void> | undefined {
    const mine = fence;
    return events.batch(() => sync.read((snapshot) => apply(snapshot, mine)));
  }

  /** Reads the store only if it answers at once. */
  function readAtOnce(): void {
    const mine = fence;
    events.batch(() => sync.readAtOnce((snapshot) => apply(snapshot, mine)));
  }

  /** Reads the store for the first time, waiting at most `timeout`; undefined once that is over. */
  function restore(): Promise<void> | undefined {
    if (sync.isRestored || isSettled) return undefined;
    const reading = restoring ? undefined : read();
    if (!reading) return restoring;
    restoring = within(timeout, reading).then(() => {
      const error = sync.isRestored ? undefined : sync.readError();
      if (!error) return;
      isSettled = true;
      events.batch(() => {
        events.emit({ type: "store-failed", error });
        if (!shown && !fence) events.emit({ type: "signed-out" });
      });
    });
    return restoring;
  }

  return {
    ledger,
    sync,
    get state(): SessionState {
      if (showing()) return "active";
      return sync.isRestored || isSettled || fence || shown ? "signed-out" : "restoring";
    },
    showing,
    commit: (copies: Iterable<SessionRecord>, reason?: Reason): void => commit(copies, reason),
    read,
    readAtOnce,
    restore,
    /** Returns whether this tab made the record pending, so that its options decide which tokens the store keeps. */
    owns: (id: string) => own.has(id),
    /** Registers a function that is called inside each change. */
    observe: (observer: Observer) => void observers.push(observer),
    /** Returns the last shown session whose token is to be ended still, also if its stored record disappeared. */
    remembered(): SessionRecord | undefined {
      return shown?.tokens && shown;
    },
    /** Drops the token of a session that this tab has ended, or was refused. */
    forget(id: string): void {
      if (shown?.id === id) shown = { ...shown, tokens: undefined };
    },
    /** Shows a new session, newer than every known one. */
    start(record: SessionRecord): void {
      events.batch(() => {
        abortFlights("another session was started");
        // Nothing else is shown any more, whatever the read finds, also no session of the same user.
        shown = { ...record, userId: undefined };
        if (sync.isRestored) readAtOnce();
        else void restore();
        const floor = Math.max(ledger.newest?.startedAt ?? 0, Math.min(fence?.at ?? 0, Date.now())) + 1;
        commit([{ ...record, startedAt: Math.max(record.startedAt, floor) }]);
      });
    },
    /**
     * Sets the fence and reads the store: this read, and every later one until one that began afterwards succeeds, ends
     * the sessions up to now.
     */
    raiseFence(endpoint: Endpoint | undefined) {
      const isAnnounced = shown || fence || isSettled;
      const before = fence;
      const mine: Fence = {
        // A session that is found in this very tick has started before.
        at: Number.POSITIVE_INFINITY,
        endpoint: before ? before.endpoint : endpoint,
        shown,
        found: before?.found ?? [],
        pending: before?.pending ?? [],
        isAwaited: true,
      };
      fence = mine;
      return events.batch(() => {
        if (!isAnnounced) events.emit({ type: "signed-out", reason: "ended" });
        const reading = read();
        mine.at = Math.max(Date.now(), before?.at ?? -1);
        return { fence: mine, reading };
      });
    },
  };
}
