/**
 * One ending under way, shared by all who call for it: it is over when the server has answered, when something else
 * has settled it, when every caller has left, or at its deadline. What is written down then is the outbox's business.
 */
import type { PendingEntry } from "./entry.ts";
import { SessionError } from "./errors.ts";
import type { SessionEnd } from "./types.ts";
import { within } from "./within.ts";

/** What an ending comes to: the server's side of a {@link SessionEnd}, or why that is unconfirmed. */
export type Outcome = "confirmed" | "already-invalid" | "superseded" | "expired" | SessionError;

export interface Run {
  entry: PendingEntry;
  /** Waits for the result; a signal detaches its caller alone. */
  join(signal?: AbortSignal): Promise<SessionEnd>;
  /** Ends the asking. What came first stays. */
  conclude(outcome: Outcome): void;
  /** Whether every caller has left it. */
  isLeft(): boolean;
}

/** What is done, and when. */
export interface Steps {
  /** Asks the server, at once. */
  ask(signal: AbortSignal): Promise<Outcome>;
  /** Writes the outcome down. */
  settle(outcome: Outcome): Promise<SessionEnd>;
  /** What is true for a caller who does not wait for that. */
  report(outcome: Outcome): SessionEnd;
}

export function createRun(
  entry: PendingEntry,
  known: Outcome | undefined,
  { ask, settle, report }: Steps,
): Run {
  const controller = new AbortController();
  let conclude: (outcome: Outcome) => void = () => {};
  let isAnswered = false;
  const concluded = new Promise<Outcome>((resolve) => {
    conclude = resolve;
  });
  const answered = (outcome: Outcome) => {
    isAnswered = true;
    conclude(outcome);
  };
  if (known) conclude(known);
  else ask(controller.signal).then(answered, answered);

  async function finish(): Promise<SessionEnd> {
    const outcome = await within(entry.ending.busyUntil - Date.now(), concluded);
    // Not without need: an abort makes an error with a stack, and wakes all that listen.
    if (!isAnswered) controller.abort();
    return settle(outcome ?? new SessionError("timeout"));
  }

  const result = finish();
  let callers = 0;
  return {
    entry,
    conclude,
    isLeft: () => callers === 0,
    join(caller) {
      callers++;
      if (!caller) return result;
      return new Promise((resolve) => {
        const leave = () => {
          callers--;
          const error = new SessionError("aborted");
          if (callers === 0) conclude(error);
          else resolve(report(error));
        };
        caller.addEventListener("abort", leave);
        result.then((end) => {
          caller.removeEventListener("abort", leave);
          resolve(end);
        });
      });
    },
  };
}
