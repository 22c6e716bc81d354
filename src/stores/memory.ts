/** A TokenStore for one process: for servers (one session object a user), scripts and tests. */
import type { TokenStore } from "../store.ts";

/**
 * Keeps records in memory: they end with the process. The default store of a session.
 *
 * @returns a store of its own, shared with nothing
 */
export function memoryStore(): TokenStore {
  const texts = new Map<string, string>();
  return {
    read: () => Object.fromEntries(texts),
    write: (key, text) => void texts.set(key, text),
    remove: (key) => void texts.delete(key),
  };
}
