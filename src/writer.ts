/**
 * Puts the calls to a store in order and observes them. A store that answers at once is called at
 * once; a call never overtakes one before it, so that a late "clear" cannot remove a new session.
 */
import type { TokenStore } from "./entry.ts";
import { causeOf, fieldsOf, SessionError } from "./errors.ts";

/** One call to the store. */
export interface Write {
  method: keyof TokenStore;
  /** Why it failed. */
  error?: SessionError;
  /** Resolves, never rejects; undefined once the store has answered. */
  done?: Promise<void> | undefined;
}

/** Calls the store; what is done with its answer, by `take`, may fail like the call itself. */
export type Writer = <T>(
  method: keyof TokenStore,
  call: () => T | PromiseLike<T>,
  take?: (answer: T) => void,
) => Write;

const isThenable = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof fieldsOf(value)["then"] === "function";

export function createWriter(onFailure: (write: Write, error: SessionError) => void): Writer {
  let last: Promise<void> | undefined;
  return (method, call, take) => {
    const write: Write = { method };
    const fail = (error: unknown) => {
      write.error = new SessionError("store-failed", method, { cause: causeOf(error) });
      onFailure(write, write.error);
    };
    const run = () => {
      try {
        const answer = call();
        if (isThenable(answer)) return answer.then(take).then(undefined, fail);
        take?.(answer);
      } catch (error) {
        fail(error);
      }
      return undefined;
    };
    const running = last ? last.then(run) : run();
    if (running) {
      const done = Promise.resolve(running).then(() => {
        write.done = undefined;
        if (last === done) last = undefined;
      });
      last = write.done = done;
    }
    return write;
  };
}

/** What one of these calls failed at, or that it is not over when it had to be. */
export const failureOf = ({ error, done }: Write): SessionError | undefined =>
  error ?? (done && new SessionError("store-failed", "no answer in time"));
