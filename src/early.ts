/**
 * An ending that was called before the store could be read. It ends each live record that the read finds and that
 * started before the call, and no later sign-in, here or elsewhere.
 */
import {
  asPending,
  type Endpoint,
  isLive,
  isPending,
  type PendingRecord,
  type SessionRecord,
} from "./record.ts";

export interface Early {
  /** What it is known to be meant for; undefined where there is none that waits. */
  readonly meant: PendingRecord[] | undefined;
  /** Notes that an ending was called. */
  call(endpoint: Endpoint | undefined, known: PendingRecord[]): void;
  /** A record that was read, pending where the ending is meant for it. */
  meet(record: SessionRecord): SessionRecord;
  /** The store was read: there is nothing more to wait for. */
  clear(): void;
}

export function createEarly(): Early {
  let early: { endpoint: Endpoint | undefined; at: number; meant: PendingRecord[] } | undefined;
  return {
    get meant() {
      return early?.meant;
    },
    call(endpoint, known) {
      early = { endpoint, at: Date.now(), meant: known };
    },
    meet(record) {
      const { startedAt } = record;
      // A start that is ahead of the clock: `start()` adds a millisecond to the newest that it knows. It precedes the
      // call, too.
      const isMeant = early && isLive(record) && (startedAt <= early.at || startedAt > Date.now());
      if (!early || !isMeant) return record;
      const pending = asPending(record, Date.now(), early.endpoint);
      if (isPending(pending)) early.meant.push(pending);
      return pending;
    },
    clear() {
      early = undefined;
    },
  };
}
