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
import { pause, within } from "./within.ts";
import { failureOf, type Write, type Writer } from "./writer.ts";

/** What is true after an ending: two facts that do not depend on each other. */
export interface SessionEnd {
  /** Which endpoint was asked, or would have been. */
  endpoint: Endpoint;
  /**
   * The server's side. `confirmed`: it said so. `already-invalid`: this environment does not accept
   * the token. `unconfirmed`: see `error`; the token may be alive. `superseded`: given up, since it
   * would have ended a newer sign-in. `expired`: the access token outlived its six hours, which says
   * nothing of a refresh token. `no-session`: there was nothing to end.
   */
  server: "confirmed" | "already-invalid" | "unconfirmed" | "superseded" | "expired" | "no-session";
  /**
   * The device's side. `cleared`: nothing of it is left. `pending`: it is kept only to be ended, by
   * `flush()`. `failed`: it may still be read back, see `storeError`.
   */
  local: "cleared" | "pending" | "failed";
  /** Why the server's side is unconfirmed. */
  error?: SessionError;
  /** What the store failed at. */
  storeError?: SessionError;
}

/** What an ending comes to: the server's side of a {@link SessionEnd}, or why that is unconfirmed. */
type Outcome = "confirmed" | "already-invalid" | "superseded" | "expired" | SessionError;

/** One ending under way, shared by all who call for it. */
interface Run {
  entry: PendingEntry;
  /** Waits for the result; a signal detaches its caller alone. */
  join(signal?: AbortSignal): Promise<SessionEnd>;
  /** Ends the asking. What came first stays. */
  conclude(outcome: Outcome): void;
  /** Whether every caller has left it. */
  isLeft(): boolean;
}

/** What the outbox asks of its session. */
export interface Sender {
  /** The session that is live, here or in another tab: no ending of an older one may reach it. */
  live(): SessionEntry | undefined;
  /** Reads the store again; a promise only where it does not answer at once. */
  refresh(): Promise<void> | undefined;
  renew: Renewals;
}

export interface Outbox {
  /** How many endings the server has not confirmed. */
  readonly size: number;
  find(id: string): PendingEntry | undefined;
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
  { live, refresh, renew }: Sender,
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

  /** Sends an entry, unless its outcome is known already, and settles it. */
  function run(entry: PendingEntry, writes: Write[], known?: Outcome): Run {
    const { id, ending } = entry;
    const { endpoint, busyUntil } = ending;
    const controller = new AbortController();
    let conclude: (outcome: Outcome) => void = () => {};
    const concluded = new Promise<Outcome>((resolve) => {
      conclude = resolve;
    });
    if (known) conclude(known);
    else asked(entry, controller.signal).then(conclude, conclude);

    function report(outcome: Outcome, isLate: boolean): SessionEnd {
      const isOver = typeof outcome === "string";
      // A store that has not answered has failed only when it is too late to.
      const failed = writes.filter(({ error, done }) => error || (isLate && done));
      const storeError = failed[0] && failureOf(failed[0]);
      // What could not be put is not there to be read back.
      const isThere = failed.some(({ method }) => method !== "putPending");
      return {
        endpoint,
        server: isOver ? outcome : "unconfirmed",
        local: isThere ? "failed" : isOver || !keeps || !waiting.has(id) ? "cleared" : "pending",
        ...(!isOver && { error: outcome }),
        ...(storeError && { storeError }),
      };
    }

    async function settle(): Promise<SessionEnd> {
      const left = () => busyUntil - Date.now();
      let outcome = (await within(left(), concluded)) ?? new SessionError("timeout");
      controller.abort();
      if (typeof outcome !== "string" && outcome.code !== "aborted" && left() > 0) {
        // Another tab or process may have ended it, which is why it failed here, and be about to say so.
        if (outcome.code === "unauthorized") await within(left(), pause());
        await within(left(), refresh());
        if (!waiting.has(id) && !saved.has(id)) outcome = outcomeElsewhere(entry);
      }
      const isOver = typeof outcome === "string" || !keeps || !waiting.has(id);
      if (isOver) {
        // A pending entry keeps one that could not be cleared from being restored.
        const isCleared = () => !writes.some(({ method, error }) => error && method === "setCurrent");
        writes.push(write("dropPending", () => isCleared() && store.dropPending(id)));
      } else if (left() > 0) {
        // Free for the next flush; after the deadline it is by itself.
        writes.push(...put({ ...(waiting.get(id) ?? entry), ending: { ...ending, busyUntil: 0 } }));
      }
      if (left() > 0) await within(left(), writes.at(-1)?.done);
      underway.delete(id);
      if (isOver) forget(id);
      const end = report(outcome, true);
      emit({ type: "settled", end });
      return end;
    }

    const result = settle();
    let callers = 0;
    const one: Run = {
      entry,
      conclude,
      isLeft: () => callers === 0,
      join(caller) {
        callers++;
        if (!caller) return result;
        return new Promise((resolve) => {
          const leave = () => {
            callers--;
            const error = new SessionError("aborted");
            if (callers === 0) conclude(error);
            else resolve(report(error, false));
          };
          if (caller.aborted) leave();
          caller.addEventListener("abort", leave);
          result.then((end) => {
            caller.removeEventListener("abort", leave);
            resolve(end);
          });
        });
      },
    };
    underway.set(id, one);
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
    sync(stored) {
      const ids = new Set(stored.map(({ id }) => id));
      for (const id of saved) {
        if (!ids.has(id)) forget(id);
      }
      for (const entry of [...stored].sort((a, b) => a.ending.since - b.ending.since)) {
        saved.add(entry.id);
        if (!underway.has(entry.id)) adopt(entry);
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
