/** A TokenStore in any storage that unstorage has a driver for. */
import type { TokenStore } from "../store.ts";
import { hasMethods, requireName, requireThat } from "./adapter-options.ts";

/** The used part of a storage that `createStorage()` returned. */
export interface Unstorage {
  getKeys(base: string): Promise<string[]>;
  getItem(key: string): Promise<unknown>;
  setItem(key: string, value: string): Promise<void>;
  removeItem(key: string): Promise<void>;
}

/** unstorage changes such a key when it writes, and refuses the segments `.` and `..`. */
const CHANGED = /[/\\?]|::|^:|:$|(^|:)\.\.?(:|$)/;

/**
 * Stores the records of one session in an unstorage, as keys under a base of their own. Each read lists that base, and
 * drivers do this differently:
 *
 * - By their prefix: `cloudflare-r2-binding`, `s3`, `netlify-blobs`, `deno-kv` and `db0`.
 * - By a scan of the whole database: `redis`, `upstash` and `vercel-kv` (`redisStore` needs no scan), `mongodb` and
 *   `azure-storage-blob`. By a scan of all keys of the driver, which is fine while they are few: `fs`, `fs-lite`,
 *   `memory` and `lru-cache`.
 * - Not at all: `vercel-runtime-cache`. Later than a write: `cloudflare-kv-binding`. Neither can be a store.
 *
 * @param storage - its drivers hold tokens: guard them as well as you guard those
 * @param base - another one for each session, such as `baanx-session:<id of the web session>`
 * @throws TypeError with the code `invalid-option`
 */
export function unstorageStore(storage: Unstorage, base: string): TokenStore {
  requireThat(
    hasMethods(storage, "getKeys", "getItem", "setItem", "removeItem"),
    "storage",
    "a storage of unstorage: unstorageStore(createStorage({ driver }), base)",
  );
  requireName("base", base);
  requireThat(
    !CHANGED.test(base),
    "base",
    'a key that unstorage does not change: without "/", "\\", "?", "::" and the segments "." and "..", and with no ":" at either end',
  );
  const prefix = `${base}:`;
  // The keys of a base below this one belong to another session.
  const isOwn = (key: string) => key.startsWith(prefix) && !key.includes(":", prefix.length);
  return {
    async read() {
      const keys = (await storage.getKeys(base)).filter(isOwn);
      const items = await Promise.all(keys.map((key) => storage.getItem(key)));
      // unstorage parses a string that looks like JSON. A key that disappeared in the meantime is null.
      const strings = items.map((item) => (typeof item === "string" ? item : JSON.stringify(item)));
      const entries = keys.map((key, index) => [key.slice(prefix.length), strings[index]]);
      return Object.fromEntries(entries.filter((_, index) => items[index] !== null));
    },
    write: (key, text) => storage.setItem(prefix + key, text),
    remove: (key) => storage.removeItem(prefix + key),
  };
}
