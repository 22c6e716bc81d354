/** What a session asks of the place where its records are kept. Who writes when is up to `sync.ts`. */

/**
 * Where records are kept: a map from keys to texts, which any storage can be. It compares and orders nothing. Each
 * method may answer at once or with a promise; with a store that answers at once, `logout()` hands its request to
 * `fetch` before it returns. The session calls one method after the other, and a read must see its own writes.
 *
 * Keys are `session.<id>` and `ended.<id>`, of the characters `A-Z a-z 0-9 . _ -`. `documented` may stand for tokens
 * that were kept by other code, as `{"accessToken", "refreshToken"?, "userId"?}`: the session makes a record of them
 * when it knows none, and removes that key.
 */
export interface TokenStore {
  /** All that it holds. */
  read(): Record<string, string> | PromiseLike<Record<string, string>>;
  write(key: string, text: string): void | PromiseLike<void>;
  remove(key: string): void | PromiseLike<void>;
  /**
   * Calls `onChange` when another tab or process may have written. The session listens until `close()`: a store for
   * sessions that are made for one request does without.
   *
   * @returns what ends it
   */
  subscribe?(onChange: () => void): () => void;
}

/** The key of tokens that were kept by other code. */
export const DOCUMENTED = "documented";
