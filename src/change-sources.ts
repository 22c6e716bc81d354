/** Listens to the store for changes of other tabs, and to the browser for the network. */
import { causeOf, SessionError } from "./errors.ts";
import type { Emitter } from "./events.ts";
import type { TokenStore } from "./store.ts";

/** Returns the function that unsubscribes from both. */
export function subscribeTo(
  store: TokenStore | undefined,
  events: Emitter,
  onChange: () => void,
  onOnline: () => void,
): () => void {
  let unsubscribe: (() => void) | undefined;
  try {
    unsubscribe = store?.subscribe?.(onChange);
  } catch (cause) {
    const error = new SessionError("store-failed", "subscribe() of the store failed", {
      cause: causeOf(cause),
    });
    events.emit({ type: "store-failed", error });
  }
  // Only a page is told when the network is back.
  if (globalThis.navigator?.onLine !== undefined) globalThis.addEventListener?.("online", onOnline);
  return () => {
    unsubscribe?.();
    globalThis.removeEventListener?.("online", onOnline);
  };
}
