/**
 * Sends what is pending and writes down what became of it: one request for all who ask, a lease between tabs, one
 * deadline. That a session is to be ended at all is decided by the session and the ledger.
 */
import { ask } from "./ask.ts";
import { SessionError } from "./errors.ts";
import type { Emitter } from "./events.ts";
import { createLapses } from "./lapse.ts";
import { type Advance, type Ledger, pendingOf, sessionOf, wouldEnd } from "./ledger.ts";
import type { Config } from "./options.ts";
import { elsewhere, givenUpFor, type Outcome } from "./outcome.ts";
import {
  asOver,
  asPending,
  type Endpoint,
  isPending,
  type PendingRecord,
  type SessionRecord,
} from "./record.ts";
import { PAUSE, type Renewals } from "./renewal.ts";
import { createScope, type Scope, within } from "./scope.ts";
import type { Sync } from "./sync.ts";
import type { SessionEnd } from "./types.ts";

/** One ending under way. */
interface Run {
  /** With the tokens that are asked about. */
  target: PendingRecord;
  scope: Scope;
  result: Promise<SessionEnd>;
  /** How many callers wait for it. */
  callers: number;
  /** What it has come to without an answer. */
  known?: Outcome;
  /** Whether there is nothing left to ask, whatever the answer was. */
  isFinal: boolean;
  /** Whether it is being written down. */
  isSettling: boolean;
  /** Where no tokens are kept: those that a renewal has brought meanwhile. */
  next?: PendingRecord;
}

export interface Endings {
  /** Ends a session that is not over: it is written down first, then sent, whether another tab is sending it or not. */
  end(record: SessionRecord, endpoint: Endpoint, endsAt: number, caller?: AbortSignal): Promise<SessionEnd>;
  /** Sends all that is pending, or joins who is sending it here; says also what has become of `before`. */
  flush(endsAt: number, before: PendingRecord[], caller?: AbortSignal): Promise<SessionEnd[]>;
  /** Sends what is pending and nobody is sending. */
  sweep(): void;
  /** After each change: stops what must not be sent any more, and tells of what is over without an answer. */
  review(before: Ledger, givenUp: Advance["givenUp"]): void;
  /** Looks no more after what others are sending. */
  close(): void;
}

export function createEndings(config: Config, sync: Sync, events: Emitter, renew: Renewals): Endings {
  const { timeout, retries } = config;
  const keeps = config.onUnconfirmed === "keep";
  const underway = new Map<string, Run>();
  const lapses = createLapses(async () => {
    const reading = sync.read();
    if (reading) await within(timeout, reading);
    sweep();
  });

  /** What is true of an ending by now. */
  function report({ id, ending }: PendingRecord, outcome: Outcome, isLate = false): SessionEnd {
    const storeError = isLate ? sync.errorOf(id) : undefined;
    return {
      endpoint: ending.endpoint,
      server: typeof outcome === "string" ? outcome : "unconfirmed",
      local: sync.localOf(id, isLate),
      ...(typeof outcome !== "string" && { error: outcome }),
      ...(storeError && { storeError }),
    };
  }

  /** Tells of an ending that is over without an answer, once the store has answered. */
  function tell(record: PendingRecord, outcome: Outcome, reason?: "elsewhere"): void {
    events.defer(async () => {
      const idle = sync.idle();
      if (idle) await within(timeout, idle);
      const end = report(record, outcome, true);
      events.emit({ type: "settled", ...(reason && { reason }), end });
    });
  }

  /** Asks the server; at an expired access token, once more with a new one. */
  async function asked(run: Run): Promise<Outcome> {
    const { scope } = run;
    const { endpoint, until } = run.target.ending;
    const patience = { retries, endsAt: until, scope };
    const question = ({ tokens, region }: PendingRecord) =>
      ask(config, endpoint, { accessToken: tokens.accessToken, region }, patience);
    const outcome = await question(run.target);
    if (typeof outcome === "string" || outcome.code !== "unauthorized") return outcome;
    const renewal = renew(run.target);
    if (!renewal) {
      // Another tab may have ended the session, and be about to say so.
      await scope.sleep(PAUSE).then(() => sync.readAtOnce());
      scope.check();
      run.isFinal = true;
      return outcome;
    }
    const next = await scope.wait(renewal);
    if (next === null) return "already-invalid";
    if (!next?.tokens) return outcome;
    run.target = { ...run.target, tokens: next.tokens, generation: next.generation };
    return question(run.target);
  }

  async function conclude(run: Run): Promise<SessionEnd> {
    const { scope, target } = run;
    const { id, ending } = target;
    const left = () => ending.until - Date.now();
    const answer = await asked(run).catch((reason) => reason as Outcome);
    scope.close();
    const isAborted = typeof answer !== "string" && answer.code === "aborted";
    // Another tab may have ended it, which is why it failed here, or renewed it, which must not be written over.
    sync.readAtOnce();
    const outcome = typeof answer === "string" ? answer : (run.known ?? answer);
    run.isSettling = true;
    const isOver = typeof outcome === "string" || run.isFinal;
    const released = { ...run.target, ending: { ...ending, until: 0 } };
    const isLate = !isOver && left() <= 0;
    if (!isLate) sync.join([isOver ? asOver(released, ending.since) : released]);
    // Who has left waits for nothing.
    if (!isAborted && left() > 0) await within(left(), sync.idle());
    underway.delete(id);
    const end = report(target, outcome, !isAborted);
    // Its lease is over by itself, but others know by this that nobody has died.
    if (isLate) sync.join([released]);
    events.emit({ type: "settled", end });
    // What a renewal has brought meanwhile.
    const latest = run.next ?? sync.ledger.get(id);
    if (isOver && isPending(latest) && latest.generation > run.target.generation) begin(latest);
    return end;
  }

  /** Takes the lease, and asks in the same tick where the store allows. */
  function begin(record: PendingRecord, endsAt = Date.now() + timeout, caller?: AbortSignal): Run {
    const { ending } = record;
    const target = { ...record, ending: { ...ending, attempt: ending.attempt + 1, until: endsAt } };
    const scope = createScope(endsAt - Date.now());
    const result = Promise.resolve(undefined as never);
    // Whoever begins it is its first caller.
    const run: Run = { target, scope, result, callers: 1, isFinal: false, isSettling: false };
    underway.set(record.id, run);
    sync.join([target]);
    if (caller?.aborted) scope.abort(new SessionError("aborted"));
    run.result = conclude(run);
    return run;
  }

  /** Stops what is over already; what came first counts. */
  function stop(run: Run, outcome: Outcome): void {
    if (run.isSettling) return;
    run.known ??= outcome;
    run.scope.abort(outcome);
  }

  /** Waits for a result, as one of its callers; a signal detaches its caller alone. */
  function wait(run: Run, caller?: AbortSignal): Promise<SessionEnd> {
    if (!caller) return run.result;
    return new Promise((resolve) => {
      const leave = () => {
        const error = new SessionError("aborted");
        run.callers--;
        if (run.callers === 0) run.scope.abort(error);
        else resolve(report(run.target, error));
      };
      caller.addEventListener("abort", leave);
      run.result.then((end) => {
        caller.removeEventListener("abort", leave);
        resolve(end);
      });
    });
  }

  /** Sends an ending, or joins who is sending it; undefined where another tab or process may be. */
  async function send(
    record: PendingRecord,
    endsAt: number,
    caller?: AbortSignal,
  ): Promise<SessionEnd | undefined> {
    const run = underway.get(record.id);
    if (run) return join(run, endsAt, caller);
    return record.ending.until > Date.now() ? undefined : wait(begin(record, endsAt, caller), caller);
  }

  /** Joins an ending that is under way; sends it once more where all callers before had left it. */
  async function join(run: Run, endsAt: number, caller?: AbortSignal): Promise<SessionEnd> {
    const isLeft = run.callers === 0;
    run.callers++;
    const end = await wait(run, caller);
    const next = isLeft && !caller?.aborted ? sync.ledger.get(run.target.id) : undefined;
    return (isPending(next) && (await send(next, endsAt, caller))) || end;
  }

  function sweep(): void {
    for (const record of pendingOf(sync.ledger))
      if (!underway.has(record.id) && record.ending.until <= Date.now()) begin(record);
  }

  return {
    end(record, endpoint, endsAt, caller) {
      const run = underway.get(record.id);
      if (run) return join(run, endsAt, caller);
      return wait(begin(asPending(record, Date.now(), endpoint) as PendingRecord, endsAt, caller), caller);
    },
    async flush(endsAt, before, caller) {
      const { ledger } = sync;
      const gone = before.filter(({ id }) => !isPending(ledger.get(id)) && !underway.has(id));
      // What is not kept is sent from memory.
      const kept = [...underway.values()]
        .map(({ target }) => target)
        .filter(({ id }) => !isPending(ledger.get(id)));
      const sent = [...kept, ...pendingOf(ledger)].map((record) => send(record, endsAt, caller));
      const ends = await Promise.all(sent);
      if (gone.length > 0) await within(endsAt - Date.now(), sync.idle());
      return [
        ...gone.map((record) => report(record, elsewhere(ledger, record), true)),
        ...ends.filter((end) => !!end),
      ];
    },
    sweep,
    review(before, givenUp) {
      const { ledger } = sync;
      const told = new Set<string>();
      for (const { record, reason } of givenUp) {
        const run = underway.get(record.id);
        told.add(record.id);
        if (reason !== "discarded") {
          if (run) stop(run, givenUpFor[reason]);
          else tell(record, givenUpFor[reason]);
        } else if (!run) begin(record);
        else run.next = record;
      }
      for (const run of underway.values()) {
        const isOver = keeps && !isPending(ledger.get(run.target.id));
        if (isOver || wouldEnd(sessionOf(ledger), run.target)) stop(run, elsewhere(ledger, run.target));
      }
      for (const record of pendingOf(before)) {
        const { id } = record;
        if (isPending(ledger.get(id)) || underway.has(id) || told.has(id)) continue;
        tell(record, elsewhere(ledger, record), "elsewhere");
      }
      if (sync.isShared) lapses.watch(pendingOf(ledger).filter(({ id }) => !underway.has(id)));
    },
    close: lapses.close,
  };
}
