/** What an ending comes to, with or without an answer of the server. */
import type { Settled } from "./ask.ts";
import { SessionError } from "./errors.ts";
import { type Ledger, LIFETIME, type Reason, sessionOf, wouldEnd } from "./ledger.ts";
import type { PendingRecord } from "./record.ts";

/** The server's side of a `SessionEnd`, or why that is unconfirmed. */
export type Outcome = Settled | "superseded" | "expired" | SessionError;

/** What it comes to where it is given up. */
export const givenUpFor: Record<Exclude<Reason, "discarded">, Outcome> = {
  superseded: "superseded",
  expired: "expired",
  overflow: new SessionError("aborted", "over 100 pending"),
  removed: new SessionError("aborted", "removed from the store"),
};

/** What has become of an ending that is over in a ledger without having been asked here. */
export function elsewhere(ledger: Ledger, record: PendingRecord): Outcome {
  if (wouldEnd(sessionOf(ledger), record)) return "superseded";
  return record.ending.since + LIFETIME <= Date.now() ? "expired" : "already-invalid";
}
