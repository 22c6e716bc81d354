/** A session in React components. */
import { useSyncExternalStore } from "react";
import type { CurrentSession, Session, SessionState } from "./types.ts";

/** The part of a session that a component shows. */
export interface SessionView {
  /** `restoring` until the store was read, and always on a server; it changes at once when the session ends. */
  state: SessionState;
  /** The session that is active, without its tokens; the same object until it changes. */
  current: CurrentSession | undefined;
  /** Number of endings that the server has not confirmed yet. */
  pending: number;
}

// A page hydrates with the values of the server, which has not read the store.
const restoring = (): SessionState => "restoring";
const none = () => undefined;
const zero = () => 0;

/**
 * Follows a session: the component renders again when it starts or ends, in this tab or another. It reads
 * nothing by itself: call `session.ready()` in an effect, once.
 *
 * @param session - created outside of components, or kept in a ref
 */
export function useSession(
  session: Pick<Session, "subscribe" | "state" | "current" | "pending">,
): SessionView {
  const state = useSyncExternalStore(session.subscribe, () => session.state, restoring);
  const current = useSyncExternalStore(session.subscribe, () => session.current, none);
  const pending = useSyncExternalStore(session.subscribe, () => session.pending, zero);
  return { state, current, pending };
}
