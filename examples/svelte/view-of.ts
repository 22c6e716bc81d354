/** The session in Svelte 5: what it shows, for components, as long as one of them looks. */
import type { Session } from "baanx-session";
import { createSubscriber } from "svelte/reactivity";

/** On a server nothing is followed: a session that is made there has read no storage, and is `restoring`. */
export function viewOf(
  session: Pick<Session, "subscribe" | "state" | "pending">,
): Pick<Session, "state" | "pending"> {
  const follow = createSubscriber((update) => session.subscribe(update));
  return {
    get state() {
      follow();
      return session.state;
    },
    get pending() {
      follow();
      return session.pending;
    },
  };
}
