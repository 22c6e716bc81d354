/** A TokenStore for one process: for servers (one session object a user), scripts and tests. */
import type { SessionEntry, TokenStore } from "../entry.ts";

/**
 * Keeps entries in memory: they end with the process. The default store of a session.
 *
 * @returns a store of its own, shared with nothing
 */
export function memoryStore(): TokenStore {
  let current: SessionEntry | null = null;
  const pending = new Map<string, SessionEntry>();
  return {
    read: () => ({ ...(current && { current }), pending: [...pending.values()] }),
    setCurrent(entry, replaces) {
      if (replaces === undefined || current?.id === replaces) current = entry;
    },
    putPending(entry) {
      pending.set(entry.id, entry);
    },
    dropPending(id) {
      pending.delete(id);
    },
  };
}
