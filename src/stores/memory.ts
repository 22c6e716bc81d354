/** A TokenStore in memory, for several session objects of one process, and for tests. */
import type { TokenStore } from "../store.ts";

/**
 * Stores records in memory until the process ends. A single session object needs no store: it keeps its records itself.
 *
 * @returns a new store, which shares nothing with others
 */
export function memoryStore(): TokenStore {
  const strings = new Map<string, string>();
  return {
    read: () => Object.fromEntries(strings),
    write: (key, text) => void strings.set(key, text),
    remove: (key) => void strings.delete(key),
  };
}
