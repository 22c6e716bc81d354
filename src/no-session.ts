/**
 * `logout()`, `revoke()` or `end()` without a session: resolves by the endings that are pending, or that the read of the
 * store finds.
 */
import type { Endings } from "./endings.ts";
import type { SessionError } from "./errors.ts";
import { pendingOf } from "./ledger.ts";
import type { Endpoint, PendingRecord } from "./record.ts";
import { createScope } from "./scope.ts";
import type { Sync } from "./sync.ts";
import type { SessionEnd } from "./types.ts";

/** One of these calls. */
export interface CallWithoutSession {
  endpoint: Endpoint;
  /** ms since the epoch. */
  endsAt: number;
  /** What was pending when it was called, and what the read has found for it. */
  before: PendingRecord[];
  /** The read that it waits for first. */
  reading?: Promise<void> | undefined;
  signal?: AbortSignal | undefined;
}

export async function endWithoutSession(
  sync: Sync,
  endings: Endings,
  { endpoint, endsAt, before, reading, signal }: CallWithoutSession,
): Promise<SessionEnd> {
  const open: SessionEnd = { endpoint, server: "unconfirmed", local: "pending" };
  const scope = createScope(endsAt - Date.now(), signal);
  let error: SessionError | undefined;
  try {
    if (reading) await scope.wait(reading);
    scope.check();
    const ends = await scope.wait(endings.flush(endsAt, before, signal));
    const isOpen = pendingOf(sync.ledger).length > 0;
    const end = ends.find(({ server }) => server === "unconfirmed") ?? (isOpen ? open : ends.at(-1));
    if (end) return end;
  } catch (reason) {
    error = reason as SessionError;
  } finally {
    scope.close();
  }
  const storeError = sync.readError;
  if (storeError) return { ...open, local: "failed", ...(error && { error }), storeError };
  return error ? { ...open, error } : { endpoint, server: "no-session", local: "cleared" };
}
