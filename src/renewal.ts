/**
 * Renews the tokens of a session: one renewal at a time for all who wait, here and in other tabs, with an end to the
 * waiting. What becomes of the new tokens is decided by the session.
 */
import { SessionError } from "./errors.ts";
import type { Config, Renew, SessionTokens } from "./options.ts";
import type { SessionRecord } from "./record.ts";
import { createScope, type Scope } from "./scope.ts";
import { checkTokens } from "./tokens.ts";

/** What a renewal asks of its session. */
export interface Owner {
  /** The same session of a later generation, where a call before, or another tab, has renewed it. */
  newer(record: SessionRecord): Promise<SessionRecord | undefined>;
  /** Takes the next generation, or `null` where the refresh token was refused. */
  onRenewed(record: SessionRecord, next: SessionRecord | null): void;
}

/** A record of a later generation, `null` where that was refused, `undefined` where nothing is known. */
type Renewal = Promise<SessionRecord | null | undefined>;

/**
 * Renews a session. Nothing is known after `timeout`, but what comes later counts all the same. Rejects with
 * `invalid-option` where `renew` resolved to something else. Without a refresh token there is no renewal.
 */
export type Renewals = (record: SessionRecord) => Renewal | undefined;

/** Time in ms in which what one tab writes is seen in the others. */
export const PAUSE = 250;

export function createRenewals({ renew, timeout }: Config, { newer, onRenewed }: Owner): Renewals {
  /** By refresh token, which works once where it rotates. */
  const underway = new Map<string, Renewal>();

  async function exchange(by: Renew, record: SessionRecord, scope: Scope): Renewal {
    const { tokens, userId } = record;
    const theirs = await newer(record);
    if (theirs || !tokens) return theirs;
    const { accessToken, refreshToken } = tokens;
    let result: SessionTokens | null;
    try {
      result = await by({ accessToken, refreshToken, userId }, { signal: scope.signal });
    } catch {
      return undefined;
    }
    if (result === null) {
      // Another tab may have spent the refresh token: what it got in return counts.
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      const late = await newer(record);
      if (!late) onRenewed(record, null);
      return late ?? null;
    }
    // Spread, since a caller without types may resolve to anything.
    const given = { refreshToken, ...clean({ ...result }) };
    const next = {
      ...record,
      userId: given.userId ?? userId,
      generation: record.generation + 1,
      tokens: checked(given),
    };
    onRenewed(record, next);
    return next;
  }

  async function run(by: Renew, record: SessionRecord): Renewal {
    const scope = createScope(timeout);
    try {
      return await scope.wait(exchange(by, record, scope));
    } catch (error) {
      if (error instanceof SessionError && error.code === "timeout") return undefined;
      throw error;
    } finally {
      scope.close();
    }
  }

  return (record) => {
    const refreshToken = record.tokens?.refreshToken;
    if (!renew || !refreshToken) return undefined;
    const known = underway.get(refreshToken);
    if (known) return known;
    const renewal = locked(`baanx-session:${record.id}`, timeout, () => run(renew, record)).finally(() =>
      underway.delete(refreshToken),
    );
    underway.set(refreshToken, renewal);
    return renewal;
  };
}

/** Without what is undefined. */
const clean = (tokens: SessionTokens): SessionTokens => JSON.parse(JSON.stringify(tokens));

function checked(given: SessionTokens) {
  try {
    return checkTokens(given);
  } catch (error) {
    const words = error instanceof SessionError ? error.message.replace(/^[^:]*: /, "") : "";
    throw new SessionError("invalid-option", `renew must resolve to tokens or null: ${words}`);
  }
}

/**
 * One tab at a time, where there are Web Locks: a refresh token that rotates works once. The lock is waited for no
 * longer than the tab that holds it may take: one that is frozen never lets go of it.
 */
async function locked(name: string, ms: number, task: () => Renewal): Renewal {
  const { locks } = globalThis.navigator ?? {};
  if (!locks) return task();
  const waiting = createScope(ms);
  let result: Renewal | undefined;
  await new Promise<void>((go) => {
    const begin = async () => {
      waiting.close();
      result = task();
      go();
      // The lock is let go of whether it resolves or rejects.
      await result.catch(() => {});
      // Firefox shows the next tab what this one has written when its task is over, and Chromium some time after it:
      // that tab would spend the same refresh token.
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    };
    // A frame without an origin of its own is refused a lock.
    void locks
      .request(name, { signal: waiting.signal }, begin)
      .catch(() => {})
      .then(() => go());
  });
  waiting.close();
  return result ?? task();
}
