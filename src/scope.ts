/**
 * A time within which something is done, which can be cut short: whoever waits in it gets the reason as an error, in
 * place of an answer, and nothing goes on behind its back.
 */
import { SessionError } from "./errors.ts";

export interface Scope {
  /** For fetch; aborted with the scope, but not by `close()`. */
  readonly signal: AbortSignal;
  /** Ends the scope: all that waits in it rejects with the reason. The first reason counts. */
  abort(reason: unknown): void;
  /** @throws the reason, once the scope was aborted */
  check(): void;
  /** What a promise resolves to; rejects as soon as the scope is aborted. */
  wait<T>(promise: PromiseLike<T> | T): Promise<T>;
  /** Waits so many milliseconds; rejects as soon as the scope is aborted. */
  sleep(ms: number): Promise<void>;
  /** Says that it is done: neither a timer nor the caller aborts it any more. */
  close(): void;
}

/**
 * A scope that is aborted after `ms` milliseconds with the error `timeout`, if there is a time, and with the error
 * `aborted` when its caller leaves.
 */
export function createScope(ms?: number, caller?: AbortSignal): Scope {
  const controller = new AbortController();
  let over: { reason: unknown } | undefined;
  let reject: (reason: unknown) => void = () => {};
  const aborted = new Promise<never>((_, rejectIt) => {
    reject = rejectIt;
  });
  // Nobody may be waiting.
  aborted.catch(() => {});
  const scope: Scope = {
    signal: controller.signal,
    abort(reason) {
      if (over) return;
      scope.close();
      over = { reason };
      reject(reason);
      controller.abort();
    },
    check() {
      if (over) throw over.reason;
    },
    async wait(promise) {
      const value = await Promise.race([aborted, promise]);
      scope.check();
      return value;
    },
    async sleep(time) {
      let timer: ReturnType<typeof setTimeout> | number | undefined;
      const slept = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, time);
      });
      try {
        await scope.wait(slept);
      } finally {
        clearTimeout(timer);
      }
    },
    close() {
      clearTimeout(timer);
      caller?.removeEventListener("abort", leave);
    },
  };
  const leave = () => scope.abort(new SessionError("aborted"));
  caller?.addEventListener("abort", leave);
  const timer =
    ms === undefined ? undefined : setTimeout(() => scope.abort(new SessionError("timeout", `${ms} ms`)), ms);
  if (caller?.aborted) leave();
  return scope;
}

/** What a promise resolves to, or undefined when it rejects, or takes longer than `ms` milliseconds. */
export async function within<T>(ms: number, promise: Promise<T> | undefined): Promise<T | undefined> {
  const scope = createScope(ms);
  try {
    return await scope.wait(promise);
  } catch {
    return undefined;
  } finally {
    scope.close();
  }
}
