/** A deadline that can be aborted: everything that awaits it rejects with the reason. */
import { SessionError } from "./errors.ts";

export interface Deadline {
  /** Returns a signal for `fetch`, aborted with the deadline but not by `dispose()`. */
  signal(): AbortSignal;
  /** Returns the ms left, by the monotonic clock. */
  left(): number;
  /** Aborts the deadline. The first reason counts. */
  abort(reason: unknown): void;
  /** @throws the reason, once the deadline has passed or was aborted */
  throwIfAborted(): void;
  /** Resolves to the value of a promise; rejects with the reason as soon as the deadline is aborted. */
  race<T>(promise: PromiseLike<T> | T): Promise<T>;
  /** Resolves after `ms`; rejects with the reason as soon as the deadline is aborted. */
  sleep(ms: number): Promise<void>;
  /** Stops the timer and unsubscribes from the caller's signal. */
  dispose(): void;
}

/** setTimeout fires at once when it is given more. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** Calls `run` after `ms`, clamped to the range of timers. */
export const after = (ms: number, run: () => void) =>
  setTimeout(run, Math.min(Math.max(0, ms), LONGEST_TIMEOUT_MS));

/**
 * Creates a deadline.
 *
 * @param ms - time until it passes with the error `timeout`; none if undefined
 * @param caller - aborts it with the error `aborted`
 */
export function createDeadline(ms?: number, caller?: AbortSignal): Deadline {
  const endsAt = performance.now() + (ms ?? Number.POSITIVE_INFINITY);
  let controller: AbortController | undefined;
  let aborted: { reason: unknown } | undefined;
  const waiting = new Set<(reason: unknown) => void>();
  const leave = () => deadline.abort(new SessionError("aborted", "by the caller's signal"));
  const pass = () => deadline.abort(new SessionError("timeout", `no answer within ${ms} ms`));

  const deadline: Deadline = {
    signal() {
      controller ??= new AbortController();
      if (aborted) controller.abort();
      return controller.signal;
    },
    left: () => endsAt - performance.now(),
    abort(reason) {
      if (aborted) return;
      deadline.dispose();
      aborted = { reason };
      controller?.abort();
      for (const reject of waiting) reject(reason);
      waiting.clear();
    },
    throwIfAborted() {
      if (aborted) throw aborted.reason;
    },
    race(promise) {
      return new Promise((resolve, reject) => {
        if (aborted) return reject(aborted.reason);
        waiting.add(reject);
        Promise.resolve(promise)
          .then(
            (value) => (aborted ? reject(aborted.reason) : resolve(value)),
            (error) => reject(aborted ? aborted.reason : error),
          )
          .then(() => waiting.delete(reject));
      });
    },
    async sleep(time) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      try {
        await deadline.race(
          new Promise<void>((resolve) => {
            timer = after(time, resolve);
          }),
        );
      } finally {
        clearTimeout(timer);
      }
    },
    dispose() {
      clearTimeout(timer);
      caller?.removeEventListener("abort", leave);
    },
  };
  const timer = ms === undefined ? undefined : after(ms, pass);
  caller?.addEventListener("abort", leave);
  if (caller?.aborted) leave();
  return deadline;
}

/** Resolves to the value of a promise; to undefined if it rejects, or after `ms`. */
export async function within<T>(ms: number, promise: PromiseLike<T> | undefined): Promise<T | undefined> {
  // Once the deadline has passed, a timer of 0 ms would still delay the caller.
  if (!promise || ms <= 0) return undefined;
  const deadline = createDeadline(ms);
  try {
    return await deadline.race(promise);
  } catch {
    return undefined;
  } finally {
    deadline.dispose();
  }
}
