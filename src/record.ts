/**
 * The record of one session. It moves forward only, **live → pending → over**, and two copies of it join into one that
 * is as far along as either. Pure: no clock, no store, no promise. Rules over several records are in `ledger.ts`.
 */
import { fieldsOf, jsonOf } from "./json.ts";

/** The back end that a token belongs to; `us` is sent as `x-us-env: true`. */
export type Region = "international" | "us";

/** How the tokens were obtained: a password login, or an OAuth authorization. */
export type Grant = "login" | "oauth";

/** The two ways to end a session: `POST /v1/auth/logout`, `DELETE /v1/auth/oauth/revoke`. */
export type Endpoint = "logout" | "revoke";

/** How a session ended; see {@link SessionEnd.server}. */
export type Outcome = "confirmed" | "already-invalid" | "superseded" | "expired" | "unconfirmed";

/** The tokens as they are stored. */
export interface RecordTokens {
  accessToken: string;
  refreshToken?: string | undefined;
  /** When a call renews them first, in ms since the epoch. */
  renewAt?: number | undefined;
}

interface RecordEnding {
  endpoint: Endpoint;
  /** When the ending was requested, in ms since the epoch. */
  since: number;
  /** Number of attempts begun, in all tabs. */
  attempt: number;
  /** End of the lease of that attempt, in ms since the epoch; 0 if it was released. Of a tombstone, when it was made. */
  until: number;
}

/** Everything known about one session. */
export interface SessionRecord {
  v: 1;
  /** Given at `start()` and kept by renewals. Not a secret. */
  id: string;
  /** The only origin that the tokens are ever sent to. */
  origin: string;
  region: Region;
  grant: Grant;
  userId?: string | undefined;
  /** In ms since the epoch, and later than any other known at `start()`. */
  startedAt: number;
  /** Number of renewals. */
  generation: number;
  /** True once a refresh token was known, also after the tokens are dropped. */
  hasRefreshToken: boolean;
  /** Absent: the tokens of this generation were dropped. */
  tokens?: RecordTokens | undefined;
  /** Absent: the session is live. */
  ending?: RecordEnding | undefined;
  /** Present in a record that is over. */
  outcome?: Outcome | undefined;
}

export type LiveRecord = SessionRecord & { tokens: RecordTokens; ending?: undefined };
export type PendingRecord = SessionRecord & { tokens: RecordTokens; ending: RecordEnding };
export type OverRecord = SessionRecord & { tokens?: undefined; ending: RecordEnding };

export const isLive = (record: SessionRecord | undefined): record is LiveRecord => !!record && !record.ending;
export const isPending = (record: SessionRecord | undefined): record is PendingRecord =>
  !!record?.ending && !!record.tokens;
export const isOver = (record: SessionRecord | undefined): record is OverRecord => !!record && !record.tokens;

/** Returns the endpoint that ends every token of a session. */
export const endpointOf = (grant: Grant): Endpoint => (grant === "oauth" ? "revoke" : "logout");

/** Returns the same session, pending; a session that has an ending keeps it. */
export function asPending(
  record: SessionRecord,
  since: number,
  endpoint: Endpoint | undefined = endpointOf(record.grant),
): SessionRecord & { ending: RecordEnding } {
  return { ...record, ending: record.ending ?? { endpoint, since, attempt: 0, until: 0 } };
}

/** Returns the same session, over: a tombstone without tokens. */
export function asOver(record: SessionRecord, now: number, outcome: Outcome): OverRecord {
  const { ending } = asPending(record, now);
  return {
    ...record,
    tokens: undefined,
    ending: { ...ending, attempt: ending.attempt + 1, until: now },
    outcome,
  };
}

/**
 * Joins two copies of one session. Commutative, associative and idempotent; returns `a` itself if `b` adds nothing.
 */
export function join(a: SessionRecord, b: SessionRecord): SessionRecord {
  const { userId } = latest(a, b, ({ userId = "" }) => [userId]);
  const startedAt = Math.max(a.startedAt, b.startedAt);
  const generation = Math.max(a.generation, b.generation);
  const hasRefreshToken = a.hasRefreshToken || b.hasRefreshToken;
  const { tokens } = latest(a, b, tokenRank);
  const ending = a.ending && b.ending ? joinEndings(a.ending, b.ending) : (a.ending ?? b.ending);
  const outcome = tokens ? undefined : latest(a, b, outcomeRank).outcome;
  const isSame =
    userId === a.userId &&
    startedAt === a.startedAt &&
    generation === a.generation &&
    hasRefreshToken === a.hasRefreshToken &&
    tokens === a.tokens &&
    ending === a.ending &&
    outcome === a.outcome;
  return isSame ? a : { ...a, userId, startedAt, generation, hasRefreshToken, tokens, ending, outcome };
}

type Rank = readonly (string | number)[];

/** Returns the one of the higher rank, whose first difference decides; of one rank the first. */
function latest<T>(a: T, b: T, rank: (of: T) => Rank): T {
  const [ours, theirs] = [rank(a), rank(b)];
  const at = ours.findIndex((value, index) => value !== theirs[index]);
  return at >= 0 && (ours[at] as number) < (theirs[at] as number) ? b : a;
}

/** The higher generation wins; in one generation dropped tokens win, then the greater of each token. */
const tokenRank = ({ generation, tokens }: SessionRecord): Rank =>
  tokens
    ? [generation, 0, tokens.accessToken, tokens.refreshToken ?? "", tokens.renewAt ?? -1]
    : [generation, 1];

/** The outcome belongs to the generation whose tokens were dropped; in one generation the greater knowledge wins. */
const outcomeRank = ({ generation, outcome }: SessionRecord): Rank => [generation, OUTCOMES.indexOf(outcome)];

/** The earlier request wins (at one time a revoke); of the attempts the last, of one attempt the earlier end. */
function joinEndings(a: RecordEnding, b: RecordEnding): RecordEnding {
  const { endpoint, since } = latest(a, b, (of) => [-of.since, of.endpoint]);
  const { attempt, until } = latest(a, b, (of) => [of.attempt, -of.until]);
  const isSame = endpoint === a.endpoint && since === a.since && attempt === a.attempt && until === a.until;
  return isSame ? a : { endpoint, since, attempt, until };
}

/** In ascending order of knowledge. */
const OUTCOMES: readonly unknown[] = [
  undefined,
  "unconfirmed",
  "expired",
  "superseded",
  "already-invalid",
  "confirmed",
];

/** One ending needs the string of a record a dozen times. */
const strings = new WeakMap<SessionRecord, string>();

/** Returns a record as a string, with its fields in one order: one content has one string. */
export function serialize(record: SessionRecord): string {
  const known = strings.get(record);
  if (known !== undefined) return known;
  const { v, id, origin, region, grant, userId, startedAt, generation, hasRefreshToken, outcome } = record;
  const { tokens: t, ending: e } = record;
  const tokens = t && { accessToken: t.accessToken, refreshToken: t.refreshToken, renewAt: t.renewAt };
  const ending = e && { endpoint: e.endpoint, since: e.since, attempt: e.attempt, until: e.until };
  const head = { v, id, origin, region, grant, userId, startedAt, generation, hasRefreshToken };
  const string = JSON.stringify({ ...head, tokens, ending, outcome });
  strings.set(record, string);
  return string;
}

/** The two keys of a session: a late write of a live record never overwrites its ending. */
export const liveKey = (id: string): string => `session.${id}`;
export const endedKey = (id: string): string => `ended.${id}`;
export const keyOf = ({ id, ending }: SessionRecord): string => (ending ? endedKey(id) : liveKey(id));

const TEN_YEARS_MS = 315_576_000_000;

type Check = (value: unknown) => boolean;
const isName: Check = (value) => typeof value === "string" && value !== "";
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
/** Visible ASCII: `Headers` trims or accepts other characters without an error. */
const isCredential: Check = (value) => typeof value === "string" && /^[!-~]+$/.test(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
export const oneOf =
  (...values: unknown[]): Check =>
  (value) =>
    values.includes(value);

/** The check of each field of a stored record. Types are checked, never coerced. */
const recordRules: Record<string, Check> = {
  v: oneOf(1),
  id: isName,
  origin: isName,
  region: oneOf("international", "us"),
  grant: oneOf("login", "oauth"),
  userId: optional(isName),
  startedAt: isCount,
  generation: isCount,
  hasRefreshToken: optional((value) => typeof value === "boolean"),
  outcome: oneOf(...OUTCOMES),
};
const tokenRules: Record<string, Check> = {
  accessToken: isCredential,
  refreshToken: optional(isCredential),
  renewAt: optional(isCount),
};
const endingRules: Record<string, Check> = {
  endpoint: oneOf("logout", "revoke"),
  since: isCount,
  attempt: isCount,
  until: isCount,
};

/** Returns the fields of `value` that have a rule; undefined if one of them breaks it. */
function checked(value: unknown, rules: Record<string, Check>): Record<string, unknown> | undefined {
  const fields = fieldsOf(value);
  const entries = Object.entries(rules);
  if (!entries.every(([name, check]) => check(fields[name]))) return undefined;
  return Object.fromEntries(entries.map(([name]) => [name, fields[name]]));
}

/**
 * Reads the record under a key.
 *
 * @param now - ms since the epoch; a record from more than ten years later is not one
 * @returns the record; undefined if the string is not a record of this version and key
 */
export function parse(key: string, string: string, now: number): SessionRecord | undefined {
  const fields = jsonOf(string);
  const record = checked(fields, recordRules);
  const tokens = fields["tokens"] === undefined ? undefined : checked(fields["tokens"], tokenRules);
  const ending = fields["ending"] === undefined ? undefined : checked(fields["ending"], endingRules);
  const isValid =
    record &&
    !tokens === (fields["tokens"] === undefined) &&
    !ending === (fields["ending"] === undefined) &&
    (tokens || ending) &&
    (record["startedAt"] as number) <= now + TEN_YEARS_MS;
  if (!isValid) return undefined;
  // Each field was checked above.
  const result = {
    ...record,
    hasRefreshToken: record["hasRefreshToken"] === true || tokens?.["refreshToken"] !== undefined,
    ...(tokens && { tokens, outcome: undefined }),
    ...(ending && { ending }),
  } as unknown as SessionRecord;
  return keyOf(result) === key ? result : undefined;
}
