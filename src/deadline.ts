/** A deadline that can be aborted: everything that awaits it rejects with the reason. */
import { SessionError } from "./errors.ts";

export type Deadline = ReturnType<typeof createDeadline>;

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
export function createDeadline(ms?: number, caller?: AbortSignal) {
  const endsAt = performance.now() + (ms ?? Number.POSITIVE_INFINITY);
  let controller: AbortController | undefined;
  let aborted: { reason: unknown } | undefined;
  const waiting = new Set<(reason: unknown) => void>();
  const timer =
    ms === undefined
      ? undefined
      : after(ms, () => abort(new SessionError("timeout", `no answer within ${ms} ms`)));
  const leave = () => abort(new SessionError("aborted", "by the caller's signal"));

  /** Aborts the deadline. The first reason counts. */
  function abort(reason: unknown): void {
    if (aborted) return;
    dispose();
    aborted = { reason };
    controller?.abort();
    for (const reject of waiting) reject(reason);
  }

  /** Stops the timer and unsubscribes from the caller's signal. */
  function dispose(): void {
    clearTimeout(timer);
    caller?.removeEventListener("abort", leave);
  }

  /** Resolves to the value of a promise; rejects with the reason as soon as the deadline is aborted. */
  function race<T>(promise: PromiseLike<T> | T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (aborted) return reject(aborted.reason);
      waiting.add(reject);
      const settle = (settled: () => void) => {
        waiting.delete(reject);
        settled();
      };
      Promise.resolve(promise).then(
        (value) => settle(() => resolve(value)),
        (error) => settle(() => reject(error)),
      );
    });
  }

  caller?.addEventListener("abort", leave);
  if (caller?.aborted) leave();
  return {
    abort,
    dispose,
    race,
    /** Returns a signal for `fetch`, aborted with the deadline but not by `dispose()`. */
    signal(): AbortSignal {
      controller ??= new AbortController();
      if (aborted) controller.abort();
      return controller.signal;
    },
    /** Returns the ms left, by the monotonic clock. */
    left: () => endsAt - performance.now(),
    /** @throws the reason, once the deadline has passed or was aborted */
    throwIfAborted(): void {
      if (aborted) throw aborted.reason;
    },
    /** Resolves after `time` ms; rejects with the reason as soon as the deadline is aborted. */
    async sleep(time: number): Promise<void> {
      let sleeping: ReturnType<typeof setTimeout> | undefined;
      try {
        await race(
          new Promise<void>((resolve) => {
            sleeping = after(time, resolve);
          }),
        );
      } finally {
        clearTimeout(sleeping);
      }
    },
  };
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
