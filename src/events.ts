/** What listeners are told, and in which order. */

import type { SessionError } from "./errors.ts";
import type { SessionEnd } from "./types.ts";

/** A change of the session. It never holds a token. */
export interface SessionEvent {
  /**
   * `started`: there is a session, by `start()` or restored from the store. `renewed`: it has new
   * tokens. `signed-out`: there is none any more, or the store had none. `settled`: an attempt to
   * end one is over, see `end`. `store-failed`: the store did not do what it was asked, see `error`.
   */
  type: "started" | "renewed" | "signed-out" | "settled" | "store-failed";
  /**
   * Why the user is signed out; left out when the store simply had no session. Of a `settled`: `elsewhere`, when
   * another tab or process has settled it.
   */
  reason?: "ended" | "unauthorized" | "elsewhere";
  /** What has become of an ending. */
  end?: SessionEnd;
  /** What the store failed at. */
  error?: SessionError;
}

/** Is called synchronously after each change, in order. What it throws is dropped. */
export type SessionListener = (event: SessionEvent) => void;

/** Tells listeners of changes. */
export interface Emitter {
  /** Adds a listener, and returns what removes it. */
  subscribe(listener: SessionListener): () => void;
  /** Tells all listeners, or, within `together`, once that is over. */
  emit(event: SessionEvent): void;
  /** Does something in its turn among the events. */
  defer(run: () => void): void;
  /** Holds events back while a change has several steps: a listener never sees half of one. */
  together<T>(change: () => T): T;
  /** Lets go of all listeners. */
  close(): void;
}

export function createEmitter(): Emitter {
  const listeners = new Set<SessionListener>();
  const queue: (() => void)[] = [];
  let held = 0;

  function tell(event: SessionEvent): void {
    for (const listener of [...listeners]) {
      try {
        listener(event);
      } catch {
        // A listener that throws harms nobody else.
      }
    }
  }

  // A listener that causes a change itself finds `held` above zero: its event waits for its turn.
  const release = () => {
    if (held > 0) return;
    held++;
    for (let next = queue.shift(); next; next = queue.shift()) next();
    held--;
  };

  const emitter: Emitter = {
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    emit(event) {
      emitter.defer(() => tell(event));
    },
    defer(run) {
      queue.push(run);
      release();
    },
    together(change) {
      held++;
      try {
        return change();
      } finally {
        held--;
        release();
      }
    },
    close: () => listeners.clear(),
  };
  return emitter;
}
