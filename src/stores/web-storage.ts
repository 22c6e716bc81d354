/**
 * A TokenStore over `localStorage` or `sessionStorage`: an item a key, under a prefix. It also gives the three items
 * of the example in the API's documentation as the key `documented`.
 */
import { CREDENTIAL } from "../record.ts";
import { DOCUMENTED, type TokenStore } from "../store.ts";

const ITEMS = ["access_token", "refresh_token", "user_id"] as const;

/** What is used of the browser's `Storage`; named here, since a server's types do not know that one. */
export type WebStorage = {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
};

/** When another tab may have written: engines lose storage events, and a page that was frozen is told nothing. */
const MOMENTS = ["storage", "pageshow", "visibilitychange", "resume", "online"] as const;
/** Not each of them bubbles up from the document. */
const CAPTURED = { capture: true };

/** The example stores what it was given with `setItem`, which writes a missing value as a word. */
const written = (value: string | null): string | undefined =>
  value && CREDENTIAL.test(value) && value !== "undefined" && value !== "null" ? value : undefined;

/**
 * Keeps records in web storage, where every script of the page's origin can read them.
 *
 * @param storage - called at each use, since a browser that blocks storage throws when
 * `localStorage` is only read: `webStorageStore(() => localStorage)`
 * @param options - `prefix` of all items, default `baanx-session:`; pages with another one share nothing
 */
export function webStorageStore(
  storage: () => WebStorage,
  { prefix = "baanx-session:" }: { prefix?: string } = {},
): TokenStore {
  const removeItems = (from: WebStorage) => {
    for (const item of ITEMS) from.removeItem(item);
  };
  return {
    read() {
      const from = storage();
      const keys = Array.from({ length: from.length }, (_, index) => from.key(index) ?? "");
      const texts = keys
        .filter((key) => key.startsWith(prefix))
        .map((key) => [key.slice(prefix.length), from.getItem(key) ?? ""]);
      const [accessToken, refreshToken, userId] = ITEMS.map((item) => written(from.getItem(item)));
      if (accessToken) texts.push([DOCUMENTED, JSON.stringify({ accessToken, refreshToken, userId })]);
      return Object.fromEntries(texts);
    },
    write(key, text) {
      const to = storage();
      to.setItem(prefix + key, text);
      // After ours is written: a crash in between must not lose the tokens.
      removeItems(to);
    },
    remove(key) {
      const from = storage();
      if (key !== DOCUMENTED) from.removeItem(prefix + key);
      removeItems(from);
    },
    subscribe(onChange) {
      const onMoment = (event: { type: string; key?: string | null }) => {
        const isHidden =
          event.type === "visibilitychange" && globalThis.document?.visibilityState !== "visible";
        // Without a key, all of it was cleared.
        const isForeign = event.type === "storage" && event.key != null && !event.key.startsWith(prefix);
        if (!isHidden && !isForeign) onChange();
      };
      for (const moment of MOMENTS) globalThis.addEventListener?.(moment, onMoment, CAPTURED);
      return () => {
        for (const moment of MOMENTS) globalThis.removeEventListener?.(moment, onMoment, CAPTURED);
      };
    },
  };
}
