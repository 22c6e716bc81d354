/**
 * The one kind of record that is kept about a session, the store that keeps it, and the check that
 * what a store gives back is such a record. Who writes when is up to the session and its outbox.
 */

import { fieldsOf } from "./errors.ts";
import { CREDENTIAL, check, type NewSession } from "./options.ts";

/** The back end that a token belongs to; `us` is sent as `x-us-env: true`. */
export type Region = "international" | "us";

/** How the tokens came to be: a password login, or an OAuth authorization. */
export type Grant = "login" | "oauth";

/** The two ways to end a session: `POST /v1/auth/logout`, `DELETE /v1/auth/oauth/revoke`. */
export type Endpoint = "logout" | "revoke";

/** The tokens of one session. */
export interface SessionTokens {
  /** The bearer token, of characters 0x21 to 0x7E. */
  accessToken: string;
  /** Only OAuth authorizations have one. */
  refreshToken?: string | undefined;
  /** The user's id, where it is known; an unknown user counts as the same user. */
  userId?: string | undefined;
}

/** An ending that the server has not confirmed yet. */
export interface EntryEnding {
  endpoint: Endpoint;
  /** When the ending was called, in ms since the epoch. */
  since: number;
  /** Until when somebody may be sending it, in ms since the epoch; 0 when nobody is. */
  busyUntil: number;
}

/** A session as it is stored. */
export interface SessionEntry {
  v: 1;
  /** Given at `start()` and kept by renewals. Not a secret. */
  id: string;
  /** The only origin that these tokens are ever sent to. */
  origin: string;
  region: Region;
  grant: Grant;
  tokens: SessionTokens;
  ending?: EntryEnding;
}

/** An entry whose ending waits for the server's word. */
export type PendingEntry = SessionEntry & { ending: EntryEnding };

/** What a store holds. */
export interface StoredEntries {
  current?: SessionEntry;
  pending: SessionEntry[];
}

/**
 * Where entries are kept. Each method may answer at once or with a promise; with a store that
 * answers at once, `logout()` hands its request to `fetch` before it returns.
 */
export interface TokenStore {
  /** `create` makes an entry of tokens that were kept by other code, for a store that takes them over. */
  read(create?: (session: NewSession) => SessionEntry): StoredEntries | PromiseLike<StoredEntries>;
  /**
   * Without `replaces`, writes in any case: a new session. With it, a store that others write to as well
   * leaves things as they are unless its current entry has that id, compared and set in one step where it
   * can: what a tab clears or renews late must not touch the sign-in of another.
   */
  setCurrent(entry: SessionEntry | null, replaces?: string): void | PromiseLike<void>;
  putPending(entry: SessionEntry): void | PromiseLike<void>;
  dropPending(id: string): void | PromiseLike<void>;
  /**
   * Calls `onChange` when another tab or process may have written. The session listens as long as it
   * lives: a store for sessions that are made for one request does without.
   */
  subscribe?(onChange: () => void): () => void;
}

/** 6 h, which an access token lives: an ending that is older has nothing left to end. */
export const ACCESS_TOKEN_LIFETIME = 21_600_000;

/** Whether two sessions may be of one user. */
export const sameUser = (a: SessionEntry, b: SessionEntry): boolean =>
  !a.tokens.userId || !b.tokens.userId || a.tokens.userId === b.tokens.userId;

/**
 * An entry for the tokens of a new session.
 *
 * @throws SessionError `invalid-option`
 */
export function createEntry(origin: string, usual: Region, session: NewSession): SessionEntry {
  const { accessToken, refreshToken, userId, grant, region = usual } = session;
  const tokens = {
    accessToken,
    ...(refreshToken !== undefined && { refreshToken }),
    ...(userId !== undefined && { userId }),
  };
  check({ ...tokens, grant, region });
  return { v: 1, id: createId(), origin, region, grant, tokens };
}

/** Unique, not secret; crypto.randomUUID is missing in React Native and on plain http. */
export const createId = (): string => `${Date.now()}-${Math.random()}`;

/** Whether two entries of one session have other tokens: one of them was renewed. */
export const isRenewed = (a: SessionEntry, b: SessionEntry): boolean =>
  a.tokens.accessToken !== b.tokens.accessToken;

/**
 * Whether a stored value is an entry of this version and of this origin. A record of this version was
 * checked before it was written; its token is checked again, since it goes into a header.
 */
export function isEntry<Entry extends SessionEntry>(
  value: Entry | undefined,
  origin: string,
): value is Entry {
  const { v, origin: home, tokens } = fieldsOf(value);
  const { accessToken } = fieldsOf(tokens);
  return v === 1 && home === origin && typeof accessToken === "string" && CREDENTIAL.test(accessToken);
}

/** Whether it is one that waits to be ended. */
export function isPending(entry: SessionEntry, origin: string): entry is PendingEntry {
  const { endpoint, since, busyUntil } = fieldsOf(fieldsOf(entry)["ending"]);
  const isEnding = endpoint === "logout" || endpoint === "revoke";
  return isEnding && Number.isFinite(since) && Number.isFinite(busyUntil) && isEntry(entry, origin);
}
