/** Delivers events to listeners: synchronously, in order, after each complete change. */
import type { SessionError } from "./errors.ts";
import type { SessionEnd } from "./types.ts";

/** A change of the session. It never holds a token. */
export interface SessionEvent {
  /**
   * `started`: there is a session, by `start()` or restored from the store. `renewed`: it has new tokens. `signed-out`:
   * it ended, or the store had none. `settled`: an attempt to end a session finished, see `end`. `renew-failed`: a
   * renewal failed and the session stays, see `error`. `store-failed`: a call of the store failed, see `error`.
   */
  type: "started" | "renewed" | "signed-out" | "settled" | "renew-failed" | "store-failed";
  /**
   * Of `signed-out`: `ended` by this session object, `unauthorized` by a 401 or a refused renewal, `elsewhere` by another tab or process;
   * absent if the store had no session. Of `settled`: `elsewhere` if another tab or process settled it.
   */
  reason?: "ended" | "unauthorized" | "elsewhere";
  /** The result of an ending. */
  end?: SessionEnd;
  /** The failure. */
  error?: SessionError;
}

/** Called synchronously after each change, in order. Its exceptions and rejections go to `reportError`. */
export type SessionListener = (event: SessionEvent) => unknown;

export type Emitter = ReturnType<typeof createEmitter>;

export function createEmitter(debug: ((line: string) => void) | undefined) {
  const listeners = new Set<{ listener: SessionListener }>();
  const work: (() => void)[] = [];
  const events: SessionEvent[] = [];
  let depth = 0;

  function deliver(event: SessionEvent): void {
    const { type, reason, end, error } = event;
    debug?.(["event", type, reason, end?.server, end?.local, error?.code].filter(Boolean).join(" "));
    for (const { listener } of [...listeners]) {
      try {
        const result = listener(event);
        if (result instanceof Promise) result.catch(report);
      } catch (error) {
        report(error);
      }
    }
  }

  /** Holds events and work back while a change has several steps: no listener sees half of one. */
  function batch<T>(change: () => T): T {
    depth++;
    try {
      return change();
    } finally {
      // A listener that causes a change finds `depth` above zero: its events wait for their turn.
      while (depth === 1 && (work.length > 0 || events.length > 0)) {
        const run = work.shift();
        const event = run ? undefined : events.shift();
        if (event) deliver(event);
        run?.();
      }
      depth--;
    }
  }

  return {
    batch,
    /** Delivers an event, inside `batch` once that is over. */
    emit: (event: SessionEvent) => void batch(() => events.push(event)),
    /** Runs internal work before the next event, inside `batch` once that is over. */
    defer: (run: () => void) => void batch(() => work.push(run)),
    /** Adds a listener, and returns the function that removes it. */
    subscribe(listener: SessionListener): () => void {
      // One function may be subscribed twice.
      const entry = { listener };
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
    /** Removes all listeners. */
    clear: () => listeners.clear(),
  };
}

/** Reports an error of a listener the way the runtime reports uncaught ones. */
function report(error: unknown): void {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else console.error(error);
}
