/**
 * All records of a device: one mutable map of immutable records, and the rules by which they move on, run over the
 * records that changed. No rule takes a record back. No clock, no store, no promise.
 */
import {
  asOver,
  asPending,
  isLive,
  isOver,
  isPending,
  join,
  type LiveRecord,
  type PendingRecord,
  type SessionRecord,
} from "./record.ts";

/** 6 h in ms: the lifetime of an access token, and of a tombstone. */
export const LIFETIME_MS = 21_600_000;
/** The newest keeps older sessions from coming back; the others save a second request. */
const MOST_TOMBSTONES = 8;

/** The records that changed, by id, as they were before. */
export type Changes = Map<string, SessionRecord | undefined>;

export type Ledger = ReturnType<typeof createLedger>;

/** Returns whether a started later than b; of one moment, the greater id counts as later. */
const isNewer = (a: SessionRecord, b: SessionRecord | undefined): boolean =>
  !b || a.startedAt > b.startedAt || (a.startedAt === b.startedAt && a.id > b.id);

/** Returns the pending records, the oldest ending first. */
export const pendingOf = ({ records }: { records: ReadonlyMap<string, SessionRecord> }): PendingRecord[] =>
  [...records.values()]
    .filter(isPending)
    .sort((a, b) => a.ending.since - b.ending.since || (isNewer(a, b) ? 1 : -1));

/** Returns whether an ending, if it were sent, would end that live session. An unknown user may be any user. */
function wouldEnd(session: LiveRecord, record: PendingRecord): boolean {
  if (session.region !== record.region) return false;
  const isSameUser = !session.userId || !record.userId || session.userId === record.userId;
  return (
    (isSameUser && record.ending.endpoint === "revoke" && session.grant === "oauth") ||
    session.tokens.accessToken === record.tokens.accessToken
  );
}

export function createLedger() {
  const records = new Map<string, SessionRecord>();
  let newest: SessionRecord | undefined;

  function put(record: SessionRecord, changes: Changes): void {
    const { id } = record;
    const before = records.get(id);
    if (!changes.has(id)) changes.set(id, before);
    records.set(id, record);
    if (newest?.id === id || isNewer(record, newest)) newest = record;
  }

  function forget(id: string, changes: Changes): void {
    if (!changes.has(id)) changes.set(id, records.get(id));
    records.delete(id);
    if (newest?.id !== id) return;
    newest = undefined;
    for (const record of records.values()) if (isNewer(record, newest)) newest = record;
  }

  const session = () => (isLive(newest) ? newest : undefined);

  /** A device has one session: every other live record becomes pending. */
  function endOthers(changes: Changes, previous: SessionRecord | undefined, now: number): void {
    const end = (id: string) => {
      const record = records.get(id);
      if (isLive(record) && record !== newest) put(asPending(record, now), changes);
    };
    for (const id of changes.keys()) end(id);
    if (previous) end(previous.id);
  }

  /** An ending that would end the session is over. */
  function supersede(changes: Changes, now: number): void {
    const live = session();
    if (!live) return;
    for (const id of changes.has(live.id) ? records.keys() : changes.keys()) {
      const record = records.get(id);
      if (isPending(record) && wouldEnd(live, record)) put(asOver(record, now, "superseded"), changes);
    }
  }

  /** Tombstones stay six hours, at most eight. */
  function prune(changes: Changes, now: number): void {
    let hasNew = false;
    for (const id of changes.keys()) hasNew ||= isOver(records.get(id));
    if (!hasNew) return;
    const tombstones = [...records.values()].filter(isOver).sort((a, b) => (isNewer(a, b) ? -1 : 1));
    for (const [index, { id, ending }] of tombstones.entries()) {
      const madeAt = Math.min(ending.until || ending.since, now);
      if (index >= MOST_TOMBSTONES || madeAt + LIFETIME_MS <= now) forget(id, changes);
    }
  }

  return {
    records: records as ReadonlyMap<string, SessionRecord>,
    /** The newest record, in whatever phase. */
    get newest() {
      return newest;
    },
    /** The session of the device: the newest record while it is live. One that is over keeps older ones out. */
    get session() {
      return session();
    },
    /** Joins copies, forgets ids, applies the rules, and returns what changed. */
    apply(copies: Iterable<SessionRecord>, forgotten: Iterable<string>, now: number): Changes {
      const changes: Changes = new Map();
      const previous = newest;
      for (const id of forgotten) forget(id, changes);
      for (const copy of copies) {
        const known = records.get(copy.id);
        const joined = known ? join(known, copy) : copy;
        if (joined !== known) put(joined, changes);
      }
      if (changes.size > 0) {
        endOthers(changes, previous, now);
        supersede(changes, now);
        prune(changes, now);
      }
      return changes;
    },
  };
}
