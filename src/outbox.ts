/**
 * The endings that the server has not confirmed yet: writes them down, sends them, settles them,
 * and knows which must not be sent any more. It never decides that a session is over.
 */
import { ask } from "./ending.ts";
import {
  ACCESS_TOKEN_LIFETIME,
  createId,
  type Endpoint,
  isRenewed,
  type PendingEntry,
  type SessionEntry,
  sameUser,
} from "./entry.ts";
import { SessionError } from "./errors.ts";
import type { Emitter } from "./events.ts";
import type { Config } from "./options.ts";
import type { Renewals } from "./renewal.ts";
import { createRun, type Outcome, type Run } from "./run.ts";
import type { SessionEnd } from "./types.ts";
import { pause, within } from "./within.ts";
import { failureOf, type Write, type Writer } from "./writer.ts";

/** What the outbox asks of its session. */
export interface Sender {
  /** The session that is live, here or in another tab: no ending of an older one may reach it. */
  live(): SessionEntry | undefined;
  /** Whether the store still holds an entry as the current one, as far as is known. */
  holds(id: string): boolean;
  /** Reads the store again; a promise only where it does not answer at once. */
  refresh(): Promise<void> | undefined;
  renew: Renewals;
}

export interface Outbox {
  /** How many endings the server has not confirmed. */
  readonly size: number;
  find(id: string): PendingEntry | undefined;
  /** Whether an ending is being sent by this tab or process, and not by another. */
  isSending(id: string): boolean;
  /** Takes over what the store holds, and lets go of what others have settled. */
  sync(stored: readonly PendingEntry[]): void;
  /** Stops asking for what must not be sent any more. */
  review(): void;
  /** Takes over a session, to be ended by the next `flush()`. */
  add(entry: SessionEntry): void;
  /** Ends the tokens that a renewal brought when its session was over, in place of those that it was given. */
  late(entry: SessionEntry, given?: SessionEntry): void;
  /** Ends the entry that was current until now; `clear` takes it from where the current one is stored. */
  end(
    entry: SessionEntry,
    clear: () => Write,
    endsAt: number,
    endpoint?: Endpoint,
    caller?: AbortSignal,
  ): Promise<SessionEnd>;
  /** Sends all that nobody else is sending, until `endsAt`, and gives up what must not be sent any more. */
  flush(endsAt?: number, caller?: AbortSignal): Promise<SessionEnd[]>;
}

/** More than a device comes by; what a store can hold is bounded. */
const MOST = 100;

/** Whether an ending, were it sent, would end that live session. */
function wouldEnd(live: SessionEntry | undefined, entry: PendingEntry): boolean {
  if (live?.region !== entry.region) return false;
  const isRevoked = entry.ending.endpoint === "revoke" && live.grant === "oauth" && sameUser(live, entry);
  return isRevoked || live.tokens.accessToken === entry.tokens.accessToken;
}

export function createOutbox(
  config: Config,
  write: Writer,
  { emit }: Emitter,
  { live, holds, refresh, renew }: Sender,
): Outbox {
  const { store, timeout, retries } = config;
  const keeps = config.onUnconfirmed === "keep";
  const waiting = new Map<string, PendingEntry>();
  /** Those that the store holds, as far as is known: when it does not any more, another has settled them. */
  const saved = new Set<string>();
  const underway = new Map<string, Run>();

  function adopt(entry: PendingEntry): void {
    waiting.set(entry.id, entry);
    listen();
    const [oldest] = waiting.values();
    if (waiting.size <= MOST || !oldest) return;
    waiting.delete(oldest.id);
    const error = new SessionError("aborted", `over ${MOST} pending`);
    const busy = underway.get(oldest.id);
    if (busy) busy.conclude(error);
    else run(oldest, [], error);
  }

  function put(entry: PendingEntry): Write[] {
    adopt(entry);
    const { id } = entry;
    return keeps
      ? [
          write(
            "putPending",
            () => store.putPending(entry),
            () => saved.add(id),
          ),
        ]
      : [];
  }

  /** What is kept of an entry that is to be ended: what that takes, and no more. */
  function toPending(entry: SessionEntry, busyUntil: number, named?: Endpoint): PendingEntry {
    const { accessToken, userId } = entry.tokens;
    const endpoint = named ?? (entry.grant === "oauth" ? "revoke" : "logout");
    return {
      ...entry,
      tokens: config.renew ? entry.tokens : { accessToken, ...(userId && { userId }) },
      ending: { endpoint, since: Date.now(), busyUntil },
    };
  }

  function forget(id: string): void {
    waiting.delete(id);
    saved.delete(id);
    listen();
  }

  /** What is known of an ending without asking the server. */
  function outcomeOf(entry: PendingEntry): Outcome | undefined {
    if (wouldEnd(live(), entry)) return "superseded";
    return entry.ending.since + ACCESS_TOKEN_LIFETIME <= Date.now() ? "expired" : undefined;
  }

  /** What is known of one that another tab or process has settled. */
  const outcomeElsewhere = (entry: PendingEntry): Outcome => outcomeOf(entry) ?? "already-invalid";

  /** Asks the server; at an expired access token, once more with a new one. */
  async function asked(entry: PendingEntry, signal: AbortSignal): Promise<Outcome> {
    const { endpoint, busyUntil: endsAt } = entry.ending;
    const patience = { retries, endsAt, signal };
    const outcome = await ask(config, endpoint, entry, patience);
    if (typeof outcome === "string" || outcome.code !== "unauthorized") return outcome;
    const next = await renew(entry);
    if (next === null) return "already-invalid";
    return next && !signal.aborted ? ask(config, endpoint, next, patience) : outcome;
  }

  /** What is true of an ending by now; of one that is not over yet, a store that has not answered has not failed. */
  function report(
    { id, ending }: PendingEntry,
    writes: Write[],
    outcome: Outcome,
    isLate: boolean,
  ): SessionEnd {
    const isOver = typeof outcome === "string";
    const failed = writes.filter(({ error, done }) => error || (isLate && done));
    const storeError = failed[0] && failureOf(failed[0]);
    // What could not be put is not there to be read back.
    const isThere = failed.some(({ method }) => method !== "putPending");
    return {
      endpoint: ending.endpoint,
      server: isOver ? outcome : "unconfirmed",
      local: isThere ? "failed" : keeps && waiting.has(id) ? "pending" : "cleared",
      ...(!isOver && { error: outcome }),
      ...(storeError && { storeError }),
    };
  }

  /** Drops an entry, or keeps it for the next flush, and says what is true then. */
  async function settle(entry: PendingEntry, writes: Write[], concluded: Outcome): Promise<SessionEnd> {
    const { id, ending } = entry;
    const left = () => ending.busyUntil - Date.now();
    let outcome = concluded;
    if (typeof outcome !== "string" && outcome.code !== "aborted" && left() > 0) {
      // Another tab or process may have ended it, which is why it failed here, and be about to say so.
      await within(left(), outcome.code === "unauthorized" ? pause().then(refresh) : refresh());
      if (!waiting.has(id) && !saved.has(id)) outcome = outcomeElsewhere(entry);
    }
    const kept = keeps && typeof outcome !== "string" && waiting.get(id);
    if (!kept) {
      // A pending entry keeps one that could not be cleared, or replaced, from being restored.
      writes.push(write("dropPending", () => holds(id) || store.dropPending(id)));
    } else if (left() > 0) {
      // Free for the next flush; after the deadline it is by itself.
      writes.push(...put({ ...kept, ending: { ...ending, busyUntil: 0 } }));
    }
    if (left() > 0) await within(left(), writes.at(-1)?.done);
    underway.delete(id);
    if (!kept) forget(id);
    const end = report(entry, writes, outcome, true);
    emit({ type: "settled", end });
    return end;
  }

  /** Sends an entry, unless its outcome is known already, and settles it. */
  function run(entry: PendingEntry, writes: Write[], known?: Outcome): Run {
    const one = createRun(entry, known, {
      ask: (signal) => asked(entry, signal),
      settle: (outcome) => settle(entry, writes, outcome),
      report: (outcome) => report(entry, writes, outcome, false),
    });
    underway.set(entry.id, one);
    return one;
  }

  /** Sends an entry, joins who is sending it, or gives it up. */
  function attempt(
    entry: PendingEntry,
    endsAt: number,
    caller?: AbortSignal,
  ): Promise<SessionEnd> | undefined {
    const { id, ending } = entry;
    const known = outcomeOf(entry);
    const busy = underway.get(id);
    if (busy) {
      const isOver = known || busy.isLeft();
      if (known) busy.conclude(known);
      return busy.join(caller).then((end) => {
        // It was concluded before that, and waits again. A caller who has left wants no more of it.
        const next = isOver && !caller?.aborted && waiting.get(id);
        return (next && attempt(next, endsAt, caller)) || end;
      });
    }
    // Another tab or process may be sending it.
    if (!known && ending.busyUntil > Date.now()) return undefined;
    const next = { ...entry, ending: { ...ending, busyUntil: endsAt } };
    return run(next, known ? [] : put(next), known).join(caller);
  }

  function flush(endsAt = Date.now() + timeout, caller?: AbortSignal): Promise<SessionEnd[]> {
    return Promise.all([...waiting.values()].flatMap((entry) => attempt(entry, endsAt, caller) ?? []));
  }

  // Only in a browser, and while there is something to send: a listener on the global object keeps its
  // session alive.
  const online = () => {
    refresh();
    flush();
  };
  function listen(): void {
    if (globalThis.navigator?.onLine === undefined) return;
    globalThis[waiting.size > 0 ? "addEventListener" : "removeEventListener"]?.("online", online);
  }

  return {
    get size() {
      return waiting.size;
    },
    find: (id) => waiting.get(id),
    isSending: (id) => underway.has(id),
    sync(stored) {
      // What it does not hold any more, another has settled.
      for (const id of saved) forget(id);
      for (const entry of [...stored].sort((a, b) => a.ending.since - b.ending.since)) {
        saved.add(entry.id);
        adopt(entry);
      }
    },
    review() {
      for (const { entry, conclude } of underway.values()) {
        const known = waiting.has(entry.id) ? outcomeOf(entry) : outcomeElsewhere(entry);
        if (known) conclude(known);
      }
    },
    add: (entry) => adopt(toPending(entry, 0)),
    late(entry, given) {
      const same = waiting.get(entry.id);
      const isSame = given && same?.ending.endpoint === "revoke" && !isRenewed(same, given);
      put(isSame ? { ...same, tokens: entry.tokens } : toPending({ ...entry, id: createId() }, 0));
      flush();
    },
    end(entry, clear, endsAt, endpoint, caller) {
      const pending = toPending(entry, endsAt, endpoint);
      // Put, then clear: whatever comes in between, the ending is not forgotten.
      const writes = [...put(pending), clear()];
      return run(pending, writes, caller?.aborted ? new SessionError("aborted") : undefined).join(caller);
    },
    flush,
  };
}
