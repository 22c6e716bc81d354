/** A TokenStore over `localStorage` or `sessionStorage`: one item per key, under a prefix. */
import { invalid } from "../options.ts";
import { DOCUMENTED, type TokenStore } from "../store.ts";
import { tokenProblem } from "../token-rule.ts";

/** The items of the example in the API's documentation. */
const DOCUMENTED_ITEMS = ["access_token", "refresh_token", "user_id"] as const;

/** The used part of the browser's `Storage`, which the types of a server do not know. */
export type WebStorage = {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
};

/** When another tab may have written: engines lose storage events, and a frozen page gets none. */
const MOMENTS = ["storage", "pageshow", "visibilitychange", "resume", "online"] as const;
/** Not each of them bubbles up from the document. */
const CAPTURED = { capture: true };

/** The objects of this page over one storage and prefix, which no storage event reaches. */
const pages = new WeakMap<WebStorage, Map<string, Set<() => void>>>();

/** Applications store `JSON.stringify(token)` as well; a missing value is stored as a word. */
function unquoted(value: string | null): string | undefined {
  let string: unknown = value;
  try {
    if (value?.startsWith('"')) string = JSON.parse(value);
  } catch {}
  return tokenProblem(string) ? undefined : (string as string);
}

/**
 * Stores records in web storage, where every script of the page's origin can read them.
 *
 * @param storage - called at each use, since a browser that blocks storage throws when `localStorage` is only read:
 * `webStorageStore(() => localStorage)`
 * @param options - `prefix` of all items, default `baanx-session:`; pages with another one share nothing.
 * `documentedKeys` adopts and removes the items `access_token`, `refresh_token` and `user_id` of the API's documented
 * example; default false, since other software uses such names, too
 * @throws SessionError `invalid-option`
 */
export function webStorageStore(
  storage: () => WebStorage,
  { prefix = "baanx-session:", documentedKeys = false }: { prefix?: string; documentedKeys?: boolean } = {},
): TokenStore {
  if (typeof storage !== "function")
    throw invalid(
      "storage",
      "must be a function that returns the storage: webStorageStore(() => localStorage)",
    );
  if (typeof prefix !== "string" || prefix === "")
    throw invalid("prefix", "must be a string that is not empty");
  const listeners = new Set<() => void>();
  let joined: WebStorage | undefined;

  /** Returns the storage, and makes this object known to the others over it. */
  function open(): WebStorage {
    const found = storage();
    if (joined !== found && listeners.size > 0) {
      joined = found;
      const prefixes = pages.get(found) ?? new Map<string, Set<() => void>>();
      pages.set(found, prefixes.set(prefix, (prefixes.get(prefix) ?? new Set()).add(notify)));
    }
    return found;
  }
  const notify = () => {
    for (const listener of listeners) listener();
  };
  /** Notifies the other objects of this page once the caller has finished. */
  const changed = (to: WebStorage) =>
    queueMicrotask(() => {
      for (const other of pages.get(to)?.get(prefix) ?? []) if (other !== notify) other();
    });
  const removeItems = (from: WebStorage) => {
    if (documentedKeys) for (const item of DOCUMENTED_ITEMS) from.removeItem(item);
  };

  return {
    read() {
      const from = open();
      const keys = Array.from({ length: from.length }, (_, index) => from.key(index) ?? "");
      const strings = keys
        .filter((key) => key.startsWith(prefix))
        .map((key) => [key.slice(prefix.length), from.getItem(key) ?? ""]);
      const [accessToken, refreshToken, userId] = DOCUMENTED_ITEMS.map((item) =>
        documentedKeys ? unquoted(from.getItem(item)) : undefined,
      );
      if (accessToken) strings.push([DOCUMENTED, JSON.stringify({ accessToken, refreshToken, userId })]);
      return Object.fromEntries(strings);
    },
    write(key, text) {
      const to = open();
      to.setItem(prefix + key, text);
      // After the record is written: a crash in between must not lose the tokens.
      removeItems(to);
      changed(to);
    },
    remove(key) {
      const from = open();
      if (key !== DOCUMENTED) from.removeItem(prefix + key);
      removeItems(from);
      changed(from);
    },
    subscribe(onChange) {
      listeners.add(onChange);
      const onMoment = (event: { type: string; key?: string | null }) => {
        const isHidden =
          event.type === "visibilitychange" && globalThis.document?.visibilityState !== "visible";
        // Without a key, all of it was cleared.
        const isForeign = event.type === "storage" && event.key != null && !event.key.startsWith(prefix);
        if (!isHidden && !isForeign) onChange();
      };
      for (const moment of MOMENTS) globalThis.addEventListener?.(moment, onMoment, CAPTURED);
      return () => {
        listeners.delete(onChange);
        if (listeners.size === 0 && joined) pages.get(joined)?.get(prefix)?.delete(notify);
        joined = undefined;
        for (const moment of MOMENTS) globalThis.removeEventListener?.(moment, onMoment, CAPTURED);
      };
    },
  };
}
