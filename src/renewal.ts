/**
 * Renews the tokens of a session: one renewal at a time for all callers, here and in other tabs, with a bounded wait.
 */
import { createDeadline, within } from "./deadline.ts";
import { causeOf, SessionError } from "./errors.ts";
import type { Emitter } from "./events.ts";
import { fieldsOf } from "./json.ts";
import { type Config, checkTokens, createRecord, type Renew, type SessionTokens } from "./options.ts";
import { asOver, asPending, type SessionRecord } from "./record.ts";
import type { State } from "./state.ts";

/** A record of a later generation, `null` if the refresh token was refused, `undefined` if nothing is known. */
type Renewal = Promise<SessionRecord | null | undefined>;

export type Renewals = ReturnType<typeof createRenewals>;

/** Time in ms until other tabs see a write. */
export const CROSS_TAB_DELAY_MS = 250;
const pause = () => new Promise<void>((resolve) => setTimeout(resolve, CROSS_TAB_DELAY_MS));

export function createRenewals(config: Config, state: State, events: Emitter) {
  const { renew, timeout } = config;
  /** By refresh token, which works once if it rotates. */
  const bounded = new Map<string, Renewal>();
  const exchanges = new Map<string, Renewal>();
  /** The records that a renewal here made. */
  const own = new WeakSet<SessionRecord>();
  /** Refresh tokens that a rejected renewal may have spent: the answer with the new tokens may be lost. */
  const lost = new Set<string | undefined>();

  /** Returns the same session of a later generation, if another tab has renewed it. */
  async function newer({ id, generation }: SessionRecord): Promise<SessionRecord | undefined> {
    await within(timeout, state.read());
    const record = state.ledger.records.get(id);
    return record?.tokens && record.generation > generation ? record : undefined;
  }

  const failed = (error: SessionError) => events.emit({ type: "renew-failed", error });

  async function exchange(
    by: Renew,
    record: SessionRecord,
    isRefused: boolean,
    signal: AbortSignal,
  ): Renewal {
    const theirs = await newer(record);
    if (theirs || !record.tokens) return theirs;
    const { accessToken, refreshToken } = record.tokens;
    let result: SessionTokens | null;
    try {
      result = await by({ accessToken, refreshToken, userId: record.userId }, { signal });
    } catch (cause) {
      lost.add(refreshToken);
      // After the deadline it was reported already.
      if (!signal.aborted)
        failed(
          new SessionError("network", "renew() rejected, so the session stays", { cause: causeOf(cause) }),
        );
      return undefined;
    }
    if (result !== null) return landed(record, result);
    // Another tab may have spent the refresh token: then its new tokens count.
    await pause();
    const late = await newer(record);
    if (late) return late;
    refused(record, isRefused);
    return null;
  }

  /** The refresh token was refused. An access token that the server did not refuse is ended, not assumed dead. */
  function refused(record: SessionRecord, isRefused: boolean): void {
    if (state.showing()?.id !== record.id) return;
    const now = Date.now();
    state.commit(
      [isRefused ? asOver(record, now, "already-invalid") : asPending(record, now)],
      "unauthorized",
    );
  }

  function landed(record: SessionRecord, result: SessionTokens): SessionRecord | undefined {
    const given = fieldsOf(result);
    const {
      accessToken,
      refreshToken = record.tokens?.refreshToken,
      userId = record.userId,
      expiresIn,
    } = given;
    const next: SessionRecord = {
      ...record,
      userId: userId as string | undefined,
      generation: record.generation + 1,
      tokens: checked({ accessToken, refreshToken, userId, expiresIn } as SessionTokens),
    };
    return events.batch(() => {
      if (record.userId !== undefined && next.userId !== record.userId) {
        // Another user's tokens: they never become this session, and are ended.
        const { grant, region } = record;
        const other = createRecord({ ...(result as SessionTokens), grant, region }, config, 0);
        state.commit([asPending(other, Date.now())]);
        throw reported("renew() resolved to tokens of another user; they were ended");
      }
      // Another tab may have ended the session in the meantime.
      state.readAtOnce();
      state.commit([next]);
      own.add(next);
      return next;
    });
  }

  function reported(message: string): SessionError {
    const error = new SessionError("invalid-option", message);
    failed(error);
    return error;
  }

  function checked(tokens: SessionTokens) {
    try {
      return checkTokens(tokens);
    } catch (error) {
      const reason = error instanceof Error ? error.message.replace(/^[^:]*: | \(docs.*$/g, "") : "";
      throw reported(`renew must resolve to tokens or null: ${reason}`);
    }
  }

  async function run(by: Renew, record: SessionRecord, isRefused: boolean, key: string): Renewal {
    const deadline = createDeadline(timeout);
    const exchanging = exchange(by, record, isRefused, deadline.signal());
    exchanges.set(key, exchanging);
    const settled = () => {
      if (exchanges.get(key) === exchanging) exchanges.delete(key);
    };
    exchanging.then(settled, settled);
    try {
      return await deadline.race(exchanging);
    } catch (error) {
      if (!deadline.signal().aborted) throw error;
      // Its answer with new tokens may be lost.
      lost.add(key);
      failed(new SessionError("timeout", "renew() did not settle in time, so the session stays"));
      return undefined;
    } finally {
      deadline.dispose();
    }
  }

  return {
    /**
     * Renews a session, at most for `timeout`; later tokens are still used, or ended. Rejects with `invalid-option` if
     * `renew` resolves to something else. Returns undefined without `renew` or a refresh token.
     *
     * @param isRefused - of a live session, whether the server has refused the access token with a 401
     */
    renew(record: SessionRecord, isRefused = false): Renewal | undefined {
      const key = record.tokens?.refreshToken;
      if (!renew || !key) return undefined;
      const known = bounded.get(key);
      if (known) return known;
      const task = () => run(renew, record, isRefused, key);
      const lock = globalThis.navigator?.locks ? locked : inTurn;
      const renewal = lock(`baanx-session:${record.id}`, timeout, task, state.sync.idle).finally(() =>
        bounded.delete(key),
      );
      bounded.set(key, renewal);
      return renewal;
    },
    /** Returns whether a renewal of this tab made the record. */
    isOwn: (record: SessionRecord | null | undefined) => !!record && own.has(record),
    /** Returns whether a refresh token that is refused now may have been exchanged before, for tokens that are alive. */
    isLost: ({ tokens }: SessionRecord) => lost.has(tokens?.refreshToken),
    /** Returns the renewal of these tokens that is in flight; it settles when `renew` does. */
    inFlight({ tokens }: SessionRecord): Renewal | undefined {
      const key = tokens?.refreshToken ?? "";
      return exchanges.get(key) ?? bounded.get(key);
    },
  };
}

/**
 * One tab at a time, where there are Web Locks: a refresh token that rotates works once. The wait for the lock is
 * bounded: a frozen tab never releases it.
 */
async function locked(name: string, ms: number, task: () => Renewal): Renewal {
  const { locks } = globalThis.navigator;
  const waiting = createDeadline(ms);
  let result: Renewal | undefined;
  await new Promise<void>((go) => {
    const begin = async () => {
      waiting.dispose();
      result = task();
      go();
      await result.catch(() => {});
      // Firefox shows other tabs a write when its task is over, and Chromium some time after it: a tab that got the
      // lock earlier would spend the same refresh token.
      await pause();
    };
    // A frame without an origin of its own is refused a lock.
    void locks
      .request(name, { signal: waiting.signal() }, begin)
      .catch(() => {})
      .then(() => go());
  });
  waiting.dispose();
  return result ?? task();
}

const TURNS = Symbol.for("baanx-session.renewals");

/**
 * One session object of this process at a time, also of another copy of the package: on a server, concurrent requests of
 * one user have a session object each. The turn ends once the store has the new tokens.
 */
function inTurn(
  name: string,
  ms: number,
  task: () => Renewal,
  stored: () => PromiseLike<void> | undefined,
): Renewal {
  const holder = globalThis as { [TURNS]?: Map<string, Promise<unknown>> };
  holder[TURNS] ??= new Map();
  const turns = holder[TURNS];
  const before = turns.get(name);
  const renewal = before ? within(ms, before).then(task) : task();
  const turn = renewal.catch(() => {}).then(() => within(ms, stored()));
  turns.set(name, turn);
  void turn.then(() => turns.get(name) === turn && turns.delete(name));
  return renewal;
}
