/** A TokenStore in whatever unstorage has a driver for. */
import type { TokenStore } from "../store.ts";

/** What is used of a storage that was made by `createStorage()`. */
export interface Unstorage {
  getKeys(base: string): Promise<string[]>;
  getItem(key: string): Promise<unknown>;
  setItem(key: string, value: string): Promise<void>;
  removeItem(key: string): Promise<void>;
}

/**
 * Keeps the records of one session in an unstorage, as keys under a base of their own. Each read lists that base, which
 * not every driver does alike. By their prefix: `cloudflare-r2-binding`, `s3`, `netlify-blobs`, `deno-kv` and `db0`. By
 * a scan of everything: `redis`, `upstash` and `vercel-kv` (of the whole database; `redisStore` needs none), `mongodb`,
 * `azure-storage-blob`, `fs`, `fs-lite`, `memory` and `lru-cache` (of all that the driver holds, which is as well while
 * that is little). `vercel-runtime-cache` lists nothing and `cloudflare-kv-binding` is read late: neither can be a store.
 *
 * @param storage - its drivers hold tokens: guard them as well as you guard those
 * @param base - one for each session, such as `baanx-session:<id of the web session>`
 */
export function unstorageStore(storage: Unstorage, base = "baanx-session"): TokenStore {
  const prefix = `${base}:`;
  return {
    async read() {
      const keys = (await storage.getKeys(base)).filter((key) => key.startsWith(prefix));
      const items = await Promise.all(keys.map((key) => storage.getItem(key)));
      // What looks like JSON it gives as a value, in the order of its text; what is gone since, as null.
      const texts = items.map((item) => (typeof item === "string" ? item : JSON.stringify(item)));
      const entries = keys.map((key, index) => [key.slice(prefix.length), texts[index]]);
      return Object.fromEntries(entries.filter((_, index) => items[index] !== null));
    },
    write: (key, text) => storage.setItem(prefix + key, text),
    remove: (key) => storage.removeItem(prefix + key),
  };
}
