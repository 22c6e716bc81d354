/**
 * Looks again when another tab's lease of an ending is over: that tab may have been closed, or frozen, before it knew
 * what became of it.
 */
import type { PendingRecord } from "./record.ts";

/** A tab that lives says within this time that it has done with an ending, in ms. */
const GRACE = 1_000;
/** So that of many tabs one comes first, and the others see its lease, in ms. */
const JITTER = 1_000;

export interface Lapses {
  /** Waits for the first lease of what others may be sending, in place of what it has waited for. */
  watch(pending: readonly PendingRecord[]): void;
  /** Waits for nothing any more. */
  close(): void;
}

export function createLapses(look: () => void): Lapses {
  let timer: ReturnType<typeof setTimeout> | number | undefined;
  let isClosed = false;
  return {
    watch(pending) {
      clearTimeout(timer);
      const now = Date.now();
      const leases = pending.map(({ ending }) => ending.until).filter((until) => until > now);
      if (isClosed || leases.length === 0) return;
      timer = setTimeout(look, Math.min(...leases) - now + GRACE + Math.random() * JITTER);
      // No process lives on for it.
      if (typeof timer === "object") timer.unref?.();
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
