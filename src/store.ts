/**
 * The store of a session: a map from keys to strings, which any storage can be. Only `sync.ts` reads and writes it;
 * `stores/` has the implementations, and each adapter is an entry of `package.json` and `tsdown.config.ts`.
 */

/** A value, or a promise of it. */
type MaybePromise<T> = T | PromiseLike<T>;

/**
 * A map from keys to strings. It compares and orders nothing. Each method may be synchronous or not; with a synchronous
 * store, `end()` hands its request to `fetch` before it returns. The session calls one method at a time, and a read must
 * see the writes before it.
 *
 * Keys are `session.<id>` and `ended.<id>`, of the characters `A-Z a-z 0-9 . _ -`. The key `documented` may hold tokens
 * that other code stored, as `{"accessToken", "refreshToken"?, "userId"?}`: the session adopts them, and removes the key.
 */
export interface TokenStore {
  /** Returns all its keys and strings, as a plain object. */
  read(): MaybePromise<Record<string, string>>;
  write(key: string, text: string): MaybePromise<void>;
  remove(key: string): MaybePromise<void>;
  /**
   * Calls `onChange` when another tab or process may have written, until the returned function is called. A store for
   * sessions that live for one request does without.
   */
  subscribe?(onChange: () => void): () => void;
}

/** The key of tokens that other code stored. */
export const DOCUMENTED = "documented";
