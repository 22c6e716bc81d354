/** A session in Svelte 5 components, followed while a component uses it. */
import type { Session } from "baanx-session";
import { createSubscriber } from "svelte/reactivity";

/** On a server nothing is followed: a session over a store has not read it there, and is `restoring`. */
export function viewOf(
  session: Pick<Session, "subscribe" | "state" | "current" | "pending">,
): Pick<Session, "state" | "current" | "pending"> {
  const follow = createSubscriber((update) => session.subscribe(update));
  return {
    get state() {
      follow();
      return session.state;
    },
    get current() {
      follow();
      return session.current;
    },
    get pending() {
      follow();
      return session.pending;
    },
  };
}
