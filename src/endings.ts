/**
 * Sends endings and records their outcomes: one request for all callers, a lease between tabs, one deadline each, six
 * retries in flight at most. Other modules make a session pending.
 */
import type { Ask, Settled } from "./ask.ts";
import { after, createDeadline, type Deadline, within } from "./deadline.ts";
import { SessionError } from "./errors.ts";
import type { Emitter } from "./events.ts";
import { fieldsOf } from "./json.ts";
import { LIFETIME_MS, pendingOf } from "./ledger.ts";
import type { Config } from "./options.ts";
import {
  asOver,
  asPending,
  type Endpoint,
  isOver,
  isPending,
  type Outcome,
  type PendingRecord,
  type SessionRecord,
} from "./record.ts";
import { CROSS_TAB_DELAY_MS, type Renewals } from "./renewal.ts";
import type { State } from "./state.ts";
import type { SessionEnd } from "./types.ts";

const MOST_IN_FLIGHT = 6;
/** No lease is longer: one that ends later was written by a clock that is ahead. */
const LONGEST_LEASE_MS = 120_000;
/** A living tab releases its lease within this time. */
const LEASE_GRACE_MS = 1_000;
/** So that of many tabs one is first, and the others see its lease. */
const JITTER_MS = 1_000;

interface Attempt {
  /** With the tokens that are asked about. */
  target: PendingRecord;
  deadline: Deadline;
  result: Promise<SessionEnd>;
  /** Nothing is left to ask, although the answer was no confirmation. */
  isExhausted?: boolean;
  /** `renew` resolved to null, and no renewal before it can have spent the refresh token. */
  isRenewalRefused?: boolean;
  /** `renew` rejected, so that the answer of the server may be about an expired token only. */
  isInconclusive?: boolean;
}

interface Waiting {
  promise: Promise<SessionEnd | undefined>;
  resolve(end?: SessionEnd): void;
  limit: Deadline | undefined;
}

export function createEndings(config: Config, ask: Ask, state: State, renewals: Renewals, events: Emitter) {
  const { timeout, retries } = config;
  const { ledger, sync } = state;
  const attempts = new Map<string, Attempt>();
  /** Endings that wait for a free slot. */
  const queue = new Map<string, Waiting>();
  /** Looks again when the earliest lease of another tab lapses. */
  let watch: { at: number; timer: ReturnType<typeof after> } | "closed" | undefined;

  state.observe((changes, toSend, elsewhere) => {
    for (const { id } of toSend) if (!attempts.has(id)) void send(id);
    for (const [id, before] of changes) {
      const record = ledger.records.get(id);
      const attempt = attempts.get(id);
      if (isPending(record) && !attempt && isLeased(record)) watchLease(record.ending.until);
      if (!isOver(record)) continue;
      const isSuperseded = record.outcome === "superseded";
      if (attempt && isSuperseded) attempt.deadline.abort(new SessionError("aborted", "superseded"));
      else if (!attempt && (isPending(before) || (isSuperseded && !isOver(before) && !elsewhere.has(id))))
        tell(record, elsewhere.has(id));
    }
  });

  const isLeased = ({ ending: { until } }: PendingRecord, now = Date.now()) =>
    until > now && until <= now + LONGEST_LEASE_MS;

  /** A revoke would end a newer sign-in of another tab as well, which this tab cannot know while its reads fail. */
  const mayRepeat = ({ ending }: PendingRecord) =>
    ending.endpoint === "logout" || ending.attempt === 0 || !sync.isReadFailing;

  /** Reports an ending that is over without an attempt here, once the store has settled. */
  function tell(record: SessionRecord, isElsewhere: boolean): void {
    events.defer(async () => {
      await within(timeout, sync.idle());
      events.emit({ type: "settled", ...(isElsewhere && { reason: "elsewhere" }), end: report(record) });
    });
  }

  function describe(
    record: SessionRecord,
    server: SessionEnd["server"],
    hasWaited: boolean,
    error?: SessionError,
    isRenewalRefused = false,
  ): SessionEnd {
    const { endpoint } = ledger.records.get(record.id)?.ending ?? asPending(record, 0).ending;
    const local = sync.localOf(record.id, hasWaited);
    const isRevoked = isRenewalRefused || (endpoint === "revoke" && server === "confirmed");
    const storeError = local === "failed" ? sync.errorOf(record.id) : undefined;
    return {
      endpoint,
      server,
      local,
      ...(record.hasRefreshToken && !isRevoked && { refreshToken: "may-be-valid" as const }),
      ...(error && { error }),
      ...(storeError && { storeError }),
    };
  }

  const endedElsewhere = () =>
    new SessionError("elsewhere", "another tab or process ended it, without a confirmation");

  /** Returns the result of a record that is over. */
  function report(record: SessionRecord): SessionEnd {
    const { outcome } = record;
    if (outcome === "confirmed" || outcome === "already-invalid" || outcome === "superseded")
      return describe(record, outcome, true);
    return describe(record, "unconfirmed", true, endedElsewhere());
  }

  /** Asks the server; at an expired access token, once more with a new one, and again with tokens that land late. */
  async function conclude(attempt: Attempt): Promise<Settled | SessionError> {
    const { deadline } = attempt;
    const question = () => {
      const { ending, tokens, region, grant } = attempt.target;
      const target = { accessToken: tokens.accessToken, region, grant };
      return ask(ending.endpoint, target, { retries, deadline, mayRetry });
    };
    const mayRetry = async () => {
      if (attempt.target.ending.endpoint === "revoke") await deadline.race(state.read());
      return mayRepeat(attempt.target);
    };
    const renewed = (next: SessionRecord | null | undefined): boolean => {
      if (!next?.tokens || next.generation <= attempt.target.generation) return false;
      attempt.target = { ...attempt.target, tokens: next.tokens, generation: next.generation };
      return true;
    };
    try {
      let answer = await question();
      if (typeof answer !== "string" && answer.code === "unauthorized") {
        const renewal = renewals.renew(attempt.target);
        if (!renewal) {
          // Another tab may have ended the session, and be about to record it.
          await deadline.sleep(CROSS_TAB_DELAY_MS);
          await deadline.race(state.read());
          attempt.isExhausted = true;
          return answer;
        }
        const next = await deadline.race(renewal);
        attempt.isRenewalRefused = next === null && !renewals.isLost(attempt.target);
        if (next === null) return "already-invalid";
        attempt.isInconclusive = !next;
        if (!renewed(next)) return answer;
        answer = await question();
      }
      for (;;) {
        const renewal = renewals.inFlight(attempt.target);
        if (renewal) await deadline.race(renewal.catch(() => undefined));
        // Another tab may have ended it, or renewed it, in the meantime.
        state.readAtOnce();
        if (!renewed(ledger.records.get(attempt.target.id))) return answer;
        answer = await question();
      }
    } catch (reason) {
      return reason as SessionError;
    }
  }

  async function run(attempt: Attempt): Promise<SessionEnd> {
    const { deadline } = attempt;
    const answer = await conclude(attempt);
    const { id } = attempt.target;
    const outcome = events.batch(() => recordAnswer(attempt, answer));
    await within(deadline.left(), sync.idle());
    deadline.dispose();
    attempts.delete(id);
    const error = typeof answer !== "string" && outcome === "unconfirmed" ? answer : undefined;
    const end = describe(attempt.target, outcome, true, error, attempt.isRenewalRefused);
    events.batch(() => {
      events.emit({ type: "settled", end });
      // Tokens that landed in the meantime.
      const latest = ledger.records.get(id);
      if (isPending(latest) && latest.generation > attempt.target.generation) void send(id);
      pump();
    });
    return end;
  }

  /** Records the answer: the record is over, or its lease is released. */
  function recordAnswer(
    { target, isExhausted, isInconclusive }: Attempt,
    answer: Settled | SessionError,
  ): Outcome {
    const { id, ending } = target;
    const now = Date.now();
    const known = ledger.records.get(id);
    const decide = (): Outcome | undefined => {
      if (typeof answer === "string") return answer;
      if (isOver(known) && known.outcome !== "unconfirmed")
        return known.outcome === "expired" ? "unconfirmed" : known.outcome;
      if (isExhausted) return "unconfirmed";
      const isAnswered = answer.status !== undefined && !isInconclusive;
      if (isAnswered && Math.min(ending.since, now) + LIFETIME_MS <= now) return "expired";
      return config.onUnconfirmed === "discard" && state.owns(id) ? "unconfirmed" : undefined;
    };
    const outcome = decide();
    const released = { ...target, ending: { ...ending, until: 0 } };
    state.commit([outcome ? asOver(target, now, outcome) : released]);
    if (outcome) state.forget(id);
    const code = typeof answer === "string" ? undefined : answer.code;
    if (code === "network" || code === "timeout") dropQueue();
    return outcome ?? "unconfirmed";
  }

  /** The server does not answer: the endings that wait stay pending. */
  function dropQueue(): void {
    for (const { resolve } of queue.values()) resolve();
    queue.clear();
  }

  /** Sends an ending now, whether another tab is sending it or not; joins the attempt that is in flight. */
  function begin(record: PendingRecord, ms: number, reason?: "ended"): Promise<SessionEnd> {
    const { id, ending } = record;
    const known = attempts.get(id);
    if (known) return known.result;
    const until = Date.now() + Math.ceil(ms);
    const target = { ...record, ending: { ...ending, attempt: ending.attempt + 1, until } };
    const attempt: Attempt = { target, deadline: createDeadline(ms), result: undefined as never };
    attempts.set(id, attempt);
    events.batch(() => {
      state.commit([target], reason);
      // Stored before the request is handed to fetch.
      sync.run();
      attempt.result = run(attempt);
    });
    const waiting = queue.get(id);
    queue.delete(id);
    if (waiting) attempt.result.then(waiting.resolve);
    return attempt.result;
  }

  /** Sends a pending ending once a slot is free, within the limit; resolves to undefined if it was not sent. */
  function send(id: string, limit?: Deadline): Promise<SessionEnd | undefined> {
    const known = attempts.get(id)?.result ?? queue.get(id)?.promise;
    if (known) return known;
    let resolve: (end?: SessionEnd) => void = () => {};
    const promise = new Promise<SessionEnd | undefined>((settle) => {
      resolve = settle;
    });
    queue.set(id, { promise, resolve, limit });
    events.defer(pump);
    return promise;
  }

  function pump(): void {
    for (const [id, { resolve, limit }] of queue) {
      if (attempts.size >= MOST_IN_FLIGHT) return;
      queue.delete(id);
      const record = ledger.records.get(id);
      const ms = limit?.left() ?? timeout;
      if (isPending(record) && !isLeased(record) && mayRepeat(record) && ms > 0)
        begin(record, ms).then(resolve);
      else resolve();
    }
  }

  function watchLease(until: number): void {
    const at = until + LEASE_GRACE_MS;
    if (!config.store?.subscribe || watch === "closed" || (watch && watch.at <= at)) return;
    clearTimeout(watch?.timer);
    const timer = after(at - Date.now() + Math.random() * JITTER_MS, lookAgain);
    // Do not keep a Node process alive for this timer.
    const { unref } = fieldsOf(timer);
    if (typeof unref === "function") unref.call(timer);
    watch = { at, timer };
  }

  async function lookAgain(): Promise<void> {
    if (watch !== "closed") watch = undefined;
    await within(timeout, state.read());
    for (const record of pendingOf(ledger)) {
      if (attempts.has(record.id) || record.ending.until === 0) continue;
      if (isLeased(record)) watchLease(record.ending.until);
      else void send(record.id);
    }
  }

  return {
    begin,
    send,
    /** Returns the results of the attempts that are in flight, or wait for the store. */
    running: () => [...attempts.values()].map(({ result }) => result),
    report,
    /** Returns the result of an ending so far, for a caller that stops waiting. */
    unfinished: (record: SessionRecord, named: Endpoint | undefined, error: SessionError) =>
      describe(asPending(record, 0, named), "unconfirmed", false, error),
    /** Stops watching the leases of other tabs. */
    close(): void {
      if (watch !== "closed") clearTimeout(watch?.timer);
      watch = "closed";
    },
  };
}
