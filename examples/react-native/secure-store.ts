/**
 * A TokenStore over a secure key-value storage that cannot list its keys, such as the Keychain and the Keystore by
 * expo-secure-store: one item per key, and one that lists the keys.
 */
import type { TokenStore } from "baanx-session";

/** The used part of expo-secure-store. */
export interface SecureStorage {
  getItemAsync(key: string): Promise<string | null>;
  setItemAsync(key: string, value: string): Promise<void>;
  deleteItemAsync(key: string): Promise<void>;
}

// A key may have letters, digits, dots, hyphens and underscores only.
const PREFIX = "baanx-session.";
const INDEX = `${PREFIX}keys`;

/** A value should stay under 2 kB: one record does, and all records together may not. */
export function secureStore(storage: SecureStorage): TokenStore {
  const readIndex = async () => (await storage.getItemAsync(INDEX))?.split(" ").filter(Boolean) ?? [];
  const writeIndex = (keys: Iterable<string>) => storage.setItemAsync(INDEX, [...keys].join(" "));
  return {
    async read() {
      const texts: Record<string, string> = {};
      for (const key of await readIndex()) {
        const text = await storage.getItemAsync(PREFIX + key);
        if (text !== null) texts[key] = text;
      }
      return texts;
    },
    // An app can be killed between two writes. A key without an item does no harm; an item without its key would be a
    // token that is never ended.
    async write(key, text) {
      await writeIndex(new Set([...(await readIndex()), key]));
      await storage.setItemAsync(PREFIX + key, text);
    },
    async remove(key) {
      await storage.deleteItemAsync(PREFIX + key);
      await writeIndex((await readIndex()).filter((other) => other !== key));
    },
  };
}
