/** The session in React: what it shows, for components. */
import { useSyncExternalStore } from "react";
import type { Session, SessionState } from "./types.ts";

/** What a component can show of a session. */
export interface SessionView {
  /** `restoring` until the storage was read, on a server always; it changes at once when the session ends. */
  state: SessionState;
  /** How many endings are pending: not confirmed, and to be asked again. */
  pending: number;
}

// What a server renders, and a browser at first: nobody has read the storage yet.
const restoring = (): SessionState => "restoring";
const none = () => 0;

/**
 * Follows a session: the component renders again when it starts or ends, in this tab or another. It reads nothing by
 * itself: call `session.ready()` in an effect, once.
 *
 * @param session - one that was made outside of components, or is kept by a ref
 */
export function useSession(session: Pick<Session, "subscribe" | "state" | "pending">): SessionView {
  const state = useSyncExternalStore(session.subscribe, () => session.state, restoring);
  const pending = useSyncExternalStore(session.subscribe, () => session.pending, none);
  return { state, pending };
}
