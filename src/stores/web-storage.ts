/**
 * A TokenStore over `localStorage` or `sessionStorage`: one key for the current entry and one for
 * each pending one, so that two tabs that write at once lose nothing. It also takes over, once, the
 * three keys of the example in the API's documentation.
 */
import type { SessionEntry, TokenStore } from "../entry.ts";
import { CREDENTIAL, type NewSession } from "../options.ts";

const OURS = "baanx-session:";
const CURRENT = `${OURS}current`;
const PENDING = `${OURS}pending:`;
const DOCUMENTED = ["access_token", "refresh_token", "user_id"] as const;

/** What is used of the browser's `Storage`; named here, since a server's types do not know that one. */
export type WebStorage = {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
};

/** A record that cannot be read is no session; it is left where it is. */
function parse(text: string | null): SessionEntry | undefined {
  try {
    // What comes out is checked by the session, field by field, before it is used.
    return JSON.parse(text ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

/** The example stores what it was given with `setItem`, which writes a missing value as a word. */
const written = (value: string | null): string | undefined =>
  value && CREDENTIAL.test(value) && value !== "undefined" && value !== "null" ? value : undefined;

/**
 * Keeps entries in web storage, where every script of the page's origin can read them.
 *
 * @param storage - called at each use, since a browser that blocks storage throws when
 * `localStorage` is only read: `webStorageStore(() => localStorage)`
 */
export function webStorageStore(storage: () => WebStorage): TokenStore {
  const documented = (from: WebStorage): NewSession | undefined => {
    const [accessToken, refreshToken, userId] = DOCUMENTED.map((key) => written(from.getItem(key)));
    if (!accessToken) return undefined;
    // Only an authorization has a refresh token.
    const grant = refreshToken ? "oauth" : "login";
    return { accessToken, grant, ...(refreshToken && { refreshToken }), ...(userId && { userId }) };
  };
  const store: TokenStore = {
    read(create) {
      const from = storage();
      const keys = Array.from({ length: from.length }, (_, index) => from.key(index) ?? "");
      const pending = keys.filter((key) => key.startsWith(PENDING));
      const isOurs = pending.length > 0 || keys.includes(CURRENT);
      const other = isOurs ? undefined : documented(from);
      if (other && create) store.setCurrent(create(other));
      const current = parse(from.getItem(CURRENT));
      return {
        ...(current && { current }),
        pending: pending.flatMap((key) => parse(from.getItem(key)) ?? []),
      };
    },
    setCurrent(entry, replaces) {
      const to = storage();
      if (replaces === undefined || parse(to.getItem(CURRENT))?.id === replaces) {
        if (entry) to.setItem(CURRENT, JSON.stringify(entry));
        else to.removeItem(CURRENT);
      }
      // After ours is written: a crash in between must not lose the tokens.
      for (const key of DOCUMENTED) to.removeItem(key);
    },
    putPending(entry) {
      storage().setItem(PENDING + entry.id, JSON.stringify(entry));
    },
    dropPending(id) {
      storage().removeItem(PENDING + id);
    },
    subscribe(onChange) {
      // Without a key, all of it was cleared.
      const onStorage = ({ key }: StorageEvent) => {
        if (key?.startsWith(OURS) ?? true) onChange();
      };
      // A page that comes back as it was left has heard nothing meanwhile.
      const onShow = ({ persisted }: PageTransitionEvent) => {
        if (persisted) onChange();
      };
      globalThis.addEventListener?.("storage", onStorage);
      globalThis.addEventListener?.("pageshow", onShow);
      return () => {
        globalThis.removeEventListener?.("storage", onStorage);
        globalThis.removeEventListener?.("pageshow", onShow);
      };
    },
  };
  return store;
}
