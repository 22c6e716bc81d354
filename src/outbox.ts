/**
 * The endings that the server has not confirmed yet: writes them down, sends them, settles them,
 * and knows which must not be sent any more. It never decides that a session is over.
 */
import { ask } from "./ending.ts";
import {
  ACCESS_TOKEN_LIFETIME,
  type Endpoint,
  type PendingEntry,
  type SessionEntry,
  sameUser,
} from "./entry.ts";
import { SessionError } from "./errors.ts";
import type { Emitter } from "./events.ts";
import type { Config } from "./options.ts";
import { within } from "./within.ts";
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
  /** Waits for the result; a signal detaches its caller alone. */
  join(signal?: AbortSignal): Promise<SessionEnd>;
  /** Ends the asking. What came first stays. */
  conclude(outcome: Outcome): void;
  /** Whether every caller has left it. */
  isLeft(): boolean;
}

export interface Outbox {
  /** How many endings the server has not confirmed. */
  readonly size: number;
  /** Takes over entries that are to be ended, by the next `flush()`. */
  adopt(entries: readonly PendingEntry[]): void;
  /** Ends the entry that was current until now, and clears it from the store. */
  end(entry: PendingEntry, caller?: AbortSignal): Promise<SessionEnd>;
  /** Sends all that nobody else is sending, until `endsAt`, and gives up what must not be sent any more. */
  flush(endsAt?: number, caller?: AbortSignal): Promise<SessionEnd[]>;
}

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
  current: () => SessionEntry | undefined,
): Outbox {
  const { store, timeout, retries } = config;
  const keeps = config.onUnconfirmed === "keep";
  const waiting = new Map<string, PendingEntry>();
  const underway = new Map<string, Run>();

  function put(entry: PendingEntry): Write[] {
    adopt([entry]);
    return keeps ? [write("putPending", () => store.putPending(entry))] : [];
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
    else
      ask(config, endpoint, entry, { retries, endsAt: busyUntil, signal: controller.signal }).then(conclude);

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
        local: isThere ? "failed" : isOver || !keeps ? "cleared" : "pending",
        ...(!isOver && { error: outcome }),
        ...(storeError && { storeError }),
      };
    }

    async function settle(): Promise<SessionEnd> {
      const left = () => busyUntil - Date.now();
      const outcome = (await within(left(), concluded)) ?? new SessionError("timeout");
      controller.abort();
      if (typeof outcome === "string" || !keeps) {
        // A pending entry keeps one that could not be cleared from being restored.
        const isCleared = () => !writes.some(({ method, error }) => error && method === "setCurrent");
        writes.push(write("dropPending", () => isCleared() && store.dropPending(id)));
      } else if (left() > 0) {
        // Free for the next flush; after the deadline it is by itself.
        writes.push(...put({ ...entry, ending: { ...ending, busyUntil: 0 } }));
      }
      if (left() > 0) await within(left(), writes.at(-1)?.done);
      underway.delete(id);
      if (typeof outcome === "string" || !keeps) waiting.delete(id);
      listen();
      const end = report(outcome, true);
      emit({ type: "settled", end });
      return end;
    }

    const result = settle();
    let callers = 0;
    const one: Run = {
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
    const now = Date.now();
    const isExpired = ending.since + ACCESS_TOKEN_LIFETIME <= now;
    const known = wouldEnd(current(), entry) ? "superseded" : isExpired ? "expired" : undefined;
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
    if (!known && ending.busyUntil > now) return undefined;
    const next = { ...entry, ending: { ...ending, busyUntil: endsAt } };
    return run(next, known ? [] : put(next), known).join(caller);
  }

  function flush(endsAt = Date.now() + timeout, caller?: AbortSignal): Promise<SessionEnd[]> {
    return Promise.all([...waiting.values()].flatMap((entry) => attempt(entry, endsAt, caller) ?? []));
  }

  // Only in a browser, and while there is something to send: a listener on the global object keeps its
  // session alive.
  const online = () => void flush();
  function listen(): void {
    if (globalThis.navigator?.onLine === undefined) return;
    globalThis[waiting.size > 0 ? "addEventListener" : "removeEventListener"]?.("online", online);
  }

  function adopt(entries: readonly PendingEntry[]): void {
    for (const entry of entries) waiting.set(entry.id, entry);
    listen();
  }

  return {
    get size() {
      return waiting.size;
    },
    adopt,
    end(entry, caller) {
      // Put, then clear: whatever comes in between, the ending is not forgotten.
      const writes = [...put(entry), write("setCurrent", () => store.setCurrent(null))];
      return run(entry, writes, caller?.aborted ? new SessionError("aborted") : undefined).join(caller);
    },
    flush,
  };
}
