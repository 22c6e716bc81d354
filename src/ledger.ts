/**
 * All records that a device has, and the rules by which they move on, applied after each change. There is one way for
 * a record, forward; no rule takes one back. Pure: no clock, no store, no promise.
 */
import {
  asOver,
  asPending,
  isLive,
  isPending,
  join,
  type LiveRecord,
  type PendingRecord,
  type SessionRecord,
} from "./record.ts";

/** All records, by their id. */
export type Ledger = ReadonlyMap<string, SessionRecord>;

/** Why an ending is over without an answer of the server: by a rule, or removed from the store by somebody. */
export type Reason = Rule | "removed";
type Rule = "superseded" | "expired" | "overflow" | "discarded";

/** What the rules have made of a ledger. */
export interface Advance {
  ledger: Ledger;
  /** The endings that are over without an answer of the server, as they were before. */
  givenUp: { record: PendingRecord; reason: Reason }[];
}

/** 6 h in ms, which an access token lives: an ending that is older has nothing left to end. */
export const LIFETIME = 21_600_000;
/** More endings than a device comes by: what a store can hold is bounded. */
const MOST_PENDING = 100;
/** The newest keeps all that is older from coming back; the others spare a second request. */
const MOST_TOMBSTONES = 8;

const byAge = (a: SessionRecord, b: SessionRecord) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1);

/** The newest record, whatever has become of it. */
export const newestOf = (ledger: Ledger): SessionRecord | undefined =>
  [...ledger.values()].reduce<SessionRecord | undefined>(
    (newest, record) => (newest && byAge(newest, record) > 0 ? newest : record),
    undefined,
  );

/** The session of this device: the newest record, while it is live. One that is over keeps older ones out. */
export function sessionOf(ledger: Ledger): LiveRecord | undefined {
  const newest = newestOf(ledger);
  return isLive(newest) ? newest : undefined;
}

/** The session that a tab last showed. */
export type Shown = Pick<SessionRecord, "id" | "userId">;

/**
 * The session that a tab shows: after one of its own, only the same one, or one of the same known user. Another user's
 * sign-in in one tab never lends its tokens to another tab's requests.
 */
export function sessionFor(shown: Shown | undefined, ledger: Ledger): LiveRecord | undefined {
  const session = sessionOf(ledger);
  if (!shown || session?.id === shown.id) return session;
  return shown.userId && session?.userId === shown.userId ? session : undefined;
}

/** What waits for the server's word, the oldest ending first. */
export const pendingOf = (ledger: Ledger): PendingRecord[] =>
  [...ledger.values()].filter(isPending).sort((a, b) => a.ending.since - b.ending.since || byAge(a, b));

/** Whether two sessions may be of one user: an unknown user may be any. */
const maySameUser = (a: SessionRecord, b: SessionRecord) => !a.userId || !b.userId || a.userId === b.userId;

/** Whether an ending, were it sent, would end that live session. */
export function wouldEnd(session: LiveRecord | undefined, record: PendingRecord): boolean {
  if (session?.region !== record.region) return false;
  const isRevoked = record.ending.endpoint === "revoke" && session.grant === "oauth";
  return (
    (isRevoked && maySameUser(session, record)) || session.tokens.accessToken === record.tokens.accessToken
  );
}

/** The same ledger without the records that are gone, and with what these copies know more. */
export function learn(ledger: Ledger, copies: Iterable<SessionRecord>, gone: Iterable<string> = []): Ledger {
  const next = new Map(ledger);
  for (const id of gone) next.delete(id);
  for (const copy of copies) {
    const known = next.get(copy.id);
    next.set(copy.id, known ? join(known, copy) : copy);
  }
  return next;
}

/** What is kept of an ending that waits for the server's word. */
export interface Policy {
  /** Whether its tokens are kept at all: `onUnconfirmed`. */
  keeps: boolean;
  /** Whether a refresh token is of use. */
  renews: boolean;
}

/** What a rule goes by. */
interface Facts extends Policy {
  session: LiveRecord | undefined;
  now: number;
}

/** Which of the endings that are pending, the oldest first, are given up; one rule after the other. */
const rules: Record<Rule, (pending: PendingRecord[], facts: Facts) => PendingRecord[]> = {
  superseded: (pending, { session }) => pending.filter((record) => wouldEnd(session, record)),
  expired: (pending, { now }) => pending.filter(({ ending }) => ending.since + LIFETIME <= now),
  overflow: (pending) => pending.slice(0, -MOST_PENDING),
  discarded: (pending, { keeps }) => (keeps ? [] : pending),
};

/** Applies the rules; applied again at once, they change nothing more. */
export function advance(ledger: Ledger, now: number, policy: Policy): Advance {
  const next = new Map(ledger);
  const newest = newestOf(ledger);
  // A device has one session.
  for (const record of ledger.values())
    if (isLive(record) && record !== newest) next.set(record.id, asPending(record, now));
  if (!policy.renews)
    for (const record of pendingOf(next))
      if (record.tokens.refreshToken) {
        const { accessToken } = record.tokens;
        // A join with the old copy keeps this one: its text is the greater, since "}" sorts after ",".
        next.set(record.id, { ...record, tokens: { accessToken } });
      }
  const facts = { ...policy, session: sessionOf(next), now };
  const givenUp: Advance["givenUp"] = [];
  for (const [reason, rule] of Object.entries(rules) as [Rule, (typeof rules)[Rule]][]) {
    for (const record of rule(pendingOf(next), facts)) {
      // Stored as over: it stays given up when the newer session has ended, too.
      next.set(record.id, asOver(record, now));
      givenUp.push({ record, reason });
    }
  }
  const tombstones = [...next.values()].filter(({ tokens }) => !tokens).sort(byAge);
  for (const [index, { id, ending }] of tombstones.reverse().entries())
    if (index >= MOST_TOMBSTONES || (ending && ending.since + LIFETIME <= now)) next.delete(id);
  return { ledger: next, givenUp };
}
