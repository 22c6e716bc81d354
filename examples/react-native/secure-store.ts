/**
 * A TokenStore over a secure key-value storage that cannot list its keys, as the Keychain and the Keystore by
 * expo-secure-store: an item a key, and one that lists the keys.
 */
import type { TokenStore } from "baanx-session";

/** What is used of expo-secure-store. */
export interface SecureStorage {
  getItemAsync(key: string): Promise<string | null>;
  setItemAsync(key: string, value: string): Promise<void>;
  deleteItemAsync(key: string): Promise<void>;
}

// Letters, digits, dots, hyphens and underscores are all that a key may have.
const PREFIX = "baanx-session.";
const INDEX = `${PREFIX}keys`;

/** A value should stay under 2 kB, which a record does and all of them together may not. */
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
    // An app can be killed between two writes. Then the index has a key too many, which is no harm; an item that it
    // lacks would be a token that nobody ends.
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
