/**
 * A TokenStore over a secure key-value storage that cannot list its keys, as the Keychain and the Keystore by
 * expo-secure-store. When which entry is written is up to the session.
 */
import type { SessionEntry, TokenStore } from "baanx-session";

/** What is used of expo-secure-store. */
export interface SecureStorage {
  getItemAsync(key: string): Promise<string | null>;
  setItemAsync(key: string, value: string): Promise<void>;
  deleteItemAsync(key: string): Promise<void>;
}

// Letters, digits, dots, hyphens and underscores are all that a key may have.
const CURRENT = "baanx-session.current";
const INDEX = "baanx-session.pending";
const keyOf = (id: string) => `${INDEX}.${id}`;

/** One item an entry: a value should stay under 2 kB, which an entry does and all of them together may not. */
export function secureStore(storage: SecureStorage): TokenStore {
  async function readEntry(key: string): Promise<SessionEntry | undefined> {
    try {
      // What comes out is checked by the session, field by field, before it is used.
      return JSON.parse((await storage.getItemAsync(key)) ?? "null") ?? undefined;
    } catch (error) {
      // Text that is no entry is none; a storage that fails is for the session to know.
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  async function readIndex(): Promise<string[]> {
    return (await storage.getItemAsync(INDEX))?.split(" ").filter(Boolean) ?? [];
  }

  const writeIndex = (ids: Iterable<string>) => storage.setItemAsync(INDEX, [...ids].join(" "));

  return {
    async read() {
      const current = await readEntry(CURRENT);
      const found = await Promise.all((await readIndex()).map((id) => readEntry(keyOf(id))));
      return { ...(current && { current }), pending: found.filter((entry) => entry !== undefined) };
    },
    async setCurrent(entry, replaces) {
      if (replaces && (await readEntry(CURRENT))?.id !== replaces) return;
      if (entry) await storage.setItemAsync(CURRENT, JSON.stringify(entry));
      else await storage.deleteItemAsync(CURRENT);
    },
    // An app can be killed between two writes. Then the index has an id too many, which is no harm; an entry that it
    // lacks would be a token that nobody ends.
    async putPending(entry) {
      await writeIndex(new Set([...(await readIndex()), entry.id]));
      await storage.setItemAsync(keyOf(entry.id), JSON.stringify(entry));
    },
    async dropPending(id) {
      await storage.deleteItemAsync(keyOf(id));
      await writeIndex((await readIndex()).filter((other) => other !== id));
    },
  };
}
