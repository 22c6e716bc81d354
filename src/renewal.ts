/**
 * Renews the tokens of an entry: one renewal at a time for all who wait, here and in other tabs, with an
 * end to the waiting. What becomes of the new tokens is decided by the session.
 */
import { createEntry, type SessionEntry, type SessionTokens } from "./entry.ts";
import type { Config, Renew } from "./options.ts";
import { pause, whenAborted, within } from "./within.ts";

/** What a renewal asks of its session. */
export interface Holder {
  /** The same entry with other tokens, where a call before, or another tab, has renewed it. */
  renewed(entry: SessionEntry): Promise<SessionEntry | undefined>;
  /** Takes the new tokens, or `null` where they were refused. */
  land(entry: SessionEntry, next: SessionEntry | null): Promise<void>;
}

/** An entry with new tokens, `null` where they were refused, `undefined` where nothing is known. */
type Renewal = Promise<SessionEntry | null | undefined>;

/**
 * Renews an entry. Nothing is known after `timeout`, but what comes later still lands. Rejects with
 * `invalid-option` where `renew` resolved to something else. Without a refresh token there is no renewal.
 */
export type Renewals = (entry: SessionEntry) => Renewal | undefined;

export function createRenewals({ renew, timeout }: Config, { renewed, land }: Holder): Renewals {
  /** By refresh token, which works once where it rotates. */
  const underway = new Map<string, Renewal>();

  async function run(exchange: Renew, entry: SessionEntry, signal: AbortSignal): Renewal {
    const { id, origin, region, grant, tokens } = entry;
    const newer = await renewed(entry);
    if (newer) return newer;
    let result: SessionTokens | null;
    try {
      result = await exchange(tokens, { signal });
    } catch {
      return undefined;
    }
    if (result === null) {
      // Another tab may have spent the refresh token: what it got in return counts.
      await pause();
      const theirs = await renewed(entry);
      if (theirs) return theirs;
      await land(entry, null);
      return null;
    }
    // Spread, since a caller without types may resolve to anything: createEntry() says so.
    const { accessToken, refreshToken = tokens.refreshToken, userId = tokens.userId } = { ...result };
    const session = createEntry(origin, region, { accessToken, refreshToken, userId, region, grant });
    const next = { ...session, id };
    await land(entry, next);
    return next;
  }

  return (entry) => {
    const { refreshToken } = entry.tokens;
    if (!renew || !refreshToken) return undefined;
    const known = underway.get(refreshToken);
    if (known) return known;
    const controller = new AbortController();
    const { signal } = controller;
    const renewal = within(
      timeout,
      locked(entry.id, signal, () => run(renew, entry, signal)),
    ).finally(() => {
      controller.abort();
      underway.delete(refreshToken);
    });
    underway.set(refreshToken, renewal);
    return renewal;
  };
}

/** One tab at a time, where there are Web Locks: a refresh token that rotates works once. */
async function locked(id: string, signal: AbortSignal, task: () => Renewal): Renewal {
  let run: Renewal | undefined;
  const begin = () => {
    run = task();
    // A renewal that does not heed its signal holds up no other tab.
    return Promise.race([run, whenAborted(signal)]);
  };
  // A frame without an origin of its own is refused a lock.
  await globalThis.navigator?.locks?.request(`baanx-session:${id}`, { signal }, begin).catch(() => {});
  return run ?? (signal.aborted ? undefined : task());
}
