/** Clears the cache of TanStack Query with the session, in every tab. It works with the package of any framework. */
import type { QueryClient } from "@tanstack/query-core";
import type { Session } from "baanx-session";

/**
 * Clears the cache when the session ends or another one replaces it. A mounted component shows its last result until it is
 * unmounted: remove the pages of the user, too, when `session.current` changes.
 *
 * @returns the function that stops it
 */
export function clearWithSession(
  session: Pick<Session, "state" | "subscribe">,
  queryClient: Pick<QueryClient, "clear">,
): () => void {
  let wasActive = session.state === "active";
  return session.subscribe(({ type }) => {
    // A sign-in over an active session replaces it without a `signed-out`. A restored session keeps hydrated data.
    if (type === "signed-out" || (type === "started" && wasActive)) queryClient.clear();
    if (type === "started") wasActive = true;
  });
}
