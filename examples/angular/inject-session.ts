/** A session in Angular components. */
import { DestroyRef, inject, PLATFORM_ID, type Signal, signal } from "@angular/core";
import type { CurrentSession, Session, SessionState } from "baanx-session";

export interface SessionSignals {
  /** `restoring` until the store was read, and always on a server. */
  state: Signal<SessionState>;
  /** The session that is active, without its tokens. */
  current: Signal<CurrentSession | undefined>;
  /** Number of endings that the server has not confirmed yet. */
  pending: Signal<number>;
}

/**
 * Follows a session that was created outside of components. Call it where Angular can inject, such as in a field of a
 * component, and `session.ready()` once, as in the root's `ngOnInit`.
 */
export function injectSession(
  session: Pick<Session, "subscribe" | "state" | "current" | "pending">,
): SessionSignals {
  const state = signal<SessionState>("restoring");
  const current = signal<CurrentSession | undefined>(undefined);
  const pending = signal(0);
  const read = () => {
    state.set(session.state);
    current.set(session.current);
    pending.set(session.pending);
  };
  // A server renders the page without a user.
  if (inject(PLATFORM_ID) === "browser") {
    inject(DestroyRef).onDestroy(session.subscribe(read));
    read();
  }
  return { state: state.asReadonly(), current: current.asReadonly(), pending: pending.asReadonly() };
}
