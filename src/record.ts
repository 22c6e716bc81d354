/**
 * What is known of one session. A record moves forward only, **live → pending → over**, and two copies of it join
 * into one that is as far along as either: whoever hears of what, when, and how often, an ended session stays ended.
 * Pure: no clock, no store, no promise. What follows from several records is up to `ledger.ts`.
 */
import { fieldsOf, jsonOf } from "./unknown.ts";

/** The back end that a token belongs to; `us` is sent as `x-us-env: true`. */
export type Region = "international" | "us";

/** How the tokens came to be: a password login, or an OAuth authorization. */
export type Grant = "login" | "oauth";

/** The two ways to end a session: `POST /v1/auth/logout`, `DELETE /v1/auth/oauth/revoke`. */
export type Endpoint = "logout" | "revoke";

/** The tokens as they are stored. */
export interface RecordTokens {
  accessToken: string;
  refreshToken?: string | undefined;
  /** When the access token expires, in ms since the epoch. */
  expiresAt?: number | undefined;
}

/** An ending: that the session is to be ended, or has been. */
interface RecordEnding {
  endpoint: Endpoint;
  /** When it was called for, in ms since the epoch. */
  since: number;
  /** How often somebody has begun to send it. */
  attempt: number;
  /** Until when whoever made that attempt may be sending it, in ms since the epoch; 0 when nobody is. */
  until: number;
}

/** All that is known of one session. */
export interface SessionRecord {
  v: 1;
  /** Given at `start()` and kept by renewals. Not a secret. */
  id: string;
  /** The only origin that these tokens are ever sent to. */
  origin: string;
  region: Region;
  grant: Grant;
  userId?: string | undefined;
  /** In ms since the epoch, and later than any other that was known at `start()`. */
  startedAt: number;
  /** How often its tokens were renewed. */
  generation: number;
  /** Absent: the tokens of this generation were dropped, since there is nothing left to end. */
  tokens?: RecordTokens | undefined;
  /** Absent: the session is live. */
  ending?: RecordEnding | undefined;
}

export type LiveRecord = SessionRecord & { tokens: RecordTokens; ending?: undefined };
export type PendingRecord = SessionRecord & { tokens: RecordTokens; ending: RecordEnding };

export const isLive = (record: SessionRecord | undefined): record is LiveRecord => !!record && !record.ending;
export const isPending = (record: SessionRecord | undefined): record is PendingRecord =>
  !!record?.ending && !!record.tokens;

/** The endpoint that ends all of a session. */
export const endpointOf = (grant: Grant): Endpoint => (grant === "oauth" ? "revoke" : "logout");

/** The same session, pending: its ending is called for. */
export const asPending = (
  record: SessionRecord,
  since: number,
  endpoint = endpointOf(record.grant),
): SessionRecord =>
  record.ending ? record : { ...record, ending: { endpoint, since, attempt: 0, until: 0 } };

/** The same session, over: the tokens of this generation are dropped. */
export const asOver = (record: SessionRecord, since: number): SessionRecord => ({
  ...asPending(record, since),
  tokens: undefined,
});

/**
 * Two copies of one session as one. Commutative, associative and idempotent; returns `a` itself where `b` has
 * nothing new.
 */
export function join(a: SessionRecord, b: SessionRecord): SessionRecord {
  const joined: SessionRecord = {
    ...a,
    userId: greater(a.userId, b.userId),
    startedAt: Math.max(a.startedAt, b.startedAt),
    generation: Math.max(a.generation, b.generation),
    tokens: joinTokens(a, b),
    ending: a.ending && b.ending ? joinEndings(a.ending, b.ending) : (a.ending ?? b.ending),
  };
  return textOf(joined) === textOf(a) ? a : joined;
}

/** The higher generation; of the same one, dropped tokens; of two different ones, the greater text. */
function joinTokens(a: SessionRecord, b: SessionRecord): RecordTokens | undefined {
  if (a.generation !== b.generation) return (a.generation > b.generation ? a : b).tokens;
  if (!a.tokens || !b.tokens) return undefined;
  return textOf(a.tokens) > textOf(b.tokens) ? a.tokens : b.tokens;
}

/** The earlier ending counts; of the attempts to send it, the last, and of one attempt the end of it. */
function joinEndings(a: RecordEnding, b: RecordEnding): RecordEnding {
  const { endpoint, since } = lesser(a, b, [a.since - b.since, a.endpoint < b.endpoint ? -1 : 1]);
  const { attempt, until } = lesser(a, b, [b.attempt - a.attempt, a.until - b.until]);
  return { endpoint, since, attempt, until };
}

const lesser = <T>(a: T, b: T, [first, second]: [number, number]): T => ((first || second) < 0 ? a : b);

const greater = (a: string | undefined, b: string | undefined) => ((a ?? "") > (b ?? "") ? a : b);

/** In this order at every depth: one content has one text, whoever writes it. */
const FIELDS = [
  ...["v", "id", "origin", "region", "grant", "userId", "startedAt", "generation"],
  ...["tokens", "accessToken", "refreshToken", "expiresAt"],
  ...["ending", "endpoint", "since", "attempt", "until"],
];

/** One ending needs the text of a record a dozen times. */
const texts = new WeakMap<object, string>();

/** A record, or a part of one, as text. */
export function textOf(value: SessionRecord | RecordTokens): string {
  const text = texts.get(value) ?? JSON.stringify(value, FIELDS);
  texts.set(value, text);
  return text;
}

/** The two keys of a session: a late write of a live record never overwrites its ending. */
export const keysOf = (id: string) => ({ live: `session.${id}`, ended: `ended.${id}` });

/** The key that a record is stored under. */
export const keyOf = ({ id, ending }: SessionRecord): string => keysOf(id)[ending ? "ended" : "live"];

/** Visible ASCII: `Headers` trims or accepts other characters in silence. */
export const CREDENTIAL = /^[\x21-\x7e]+$/;

const isText = (value: unknown) => typeof value === "string";
const isNumber = Number.isFinite;
const isCredential = (value: unknown) => isText(value) && CREDENTIAL.test(`${value}`);
const optional = (is: (value: unknown) => boolean) => (value: unknown) => value === undefined || is(value);
const isOneOf =
  (...words: string[]) =>
  (value: unknown) =>
    words.includes(`${value}`);

/** What each field of a stored record must be, by its name. */
const forms = {
  v: (value: unknown) => value === 1,
  id: isText,
  origin: isText,
  region: isOneOf("international", "us"),
  grant: isOneOf("login", "oauth"),
  userId: optional(isText),
  startedAt: isNumber,
  generation: isNumber,
};
const tokenForms = {
  accessToken: isCredential,
  refreshToken: optional(isCredential),
  expiresAt: optional(isNumber),
};
const endingForms = {
  endpoint: isOneOf("logout", "revoke"),
  since: isNumber,
  attempt: isNumber,
  until: isNumber,
};

const hasForms = (value: unknown, all: Record<string, (value: unknown) => boolean>): boolean =>
  Object.entries(all).every(([name, is]) => is(fieldsOf(value)[name]));

/** Whether a value from outside is a record of this version. */
const isRecord = (value: unknown): value is SessionRecord => {
  const { tokens, ending } = fieldsOf(value);
  return (
    hasForms(value, forms) &&
    (tokens === undefined ? ending !== undefined : hasForms(tokens, tokenForms)) &&
    (ending === undefined || hasForms(ending, endingForms))
  );
};

/** The record that a key holds; undefined where the text is no record of this version, origin and key. */
export function recordOf(key: string, text: string, origin: string): SessionRecord | undefined {
  const value: unknown = jsonOf(text);
  return isRecord(value) && value.origin === origin && keyOf(value) === key ? value : undefined;
}
