/** TanStack Query: what was cached for a user goes with the session, in every tab. For any framework's package of it. */
import type { QueryClient } from "@tanstack/query-core";
import type { Session } from "baanx-session";

/**
 * What is mounted shows its last result until it is unmounted: take the pages of the user away, too, when
 * `session.state` changes.
 *
 * @returns what ends it
 */
export function clearWithSession(
  session: Pick<Session, "state" | "subscribe">,
  queryClient: Pick<QueryClient, "clear">,
): () => void {
  let wasActive = session.state === "active";
  return session.subscribe(({ type }) => {
    // A sign-in over an active session replaces it without a `signed-out`. One that is restored keeps what was hydrated.
    if (type === "signed-out" || (type === "started" && wasActive)) queryClient.clear();
    if (type === "started") wasActive = true;
  });
}
