/** Hears of what other tabs and processes write, and of a network that is back, until it is told to stop. */
import { causeOf, SessionError } from "./errors.ts";
import type { TokenStore } from "./store.ts";

/** What is heard of. */
export interface Ears {
  onChange(): void;
  onOnline(): void;
  /** The store could not be listened to. */
  onFailed(error: SessionError): void;
}

/** @returns what ends it */
export function listen(store: TokenStore, { onChange, onOnline, onFailed }: Ears): () => void {
  let stop: (() => void) | undefined;
  try {
    stop = store.subscribe?.(onChange);
  } catch (cause) {
    onFailed(new SessionError("store-failed", "subscribe", { cause: causeOf(cause) }));
  }
  // Elsewhere than in a page nobody tells of it.
  if (globalThis.navigator?.onLine !== undefined) globalThis.addEventListener?.("online", onOnline);
  return () => {
    stop?.();
    globalThis.removeEventListener?.("online", onOnline);
  };
}
