/**
 * Looks again when another tab's lease of an ending is over: that tab may have been closed, or frozen, before it knew
 * what became of it.
 */

import type { PendingRecord } from "./record.ts";
import { fieldsOf } from "./unknown.ts";

/** A tab that lives says within this time that it has done with an ending, in ms. */
const GRACE = 1_000;
/** So that of many tabs one comes first, and the others see its lease, in ms. */
const JITTER = 1_000;

export interface Lapses {
  /** Waits for the first lease of what others are sending, or did not say they had done with. */
  watch(pending: readonly PendingRecord[]): void;
  /** Waits for nothing any more. */
  close(): void;
}

export function createLapses(look: () => void): Lapses {
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** The end of the lease that it waits for; undefined where it waits for none. */
  let awaited: number | undefined;
  let isClosed = false;
  return {
    watch(pending) {
      const ends = pending.map(({ ending }) => ending.until).filter((until) => until > 0);
      const first = ends.length > 0 && !isClosed ? Math.min(...ends) : undefined;
      if (first === awaited) return;
      awaited = first;
      clearTimeout(timer);
      if (first === undefined) return;
      const wait = Math.max(0, first + GRACE - Date.now()) + Math.random() * JITTER;
      timer = setTimeout(() => {
        awaited = undefined;
        look();
      }, wait);
      // No process lives on for it.
      const { unref } = fieldsOf(timer);
      if (typeof unref === "function") unref.call(timer);
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
