/**
 * Calls a store, one call after the other, and in the same tick for as long as it answers at once. Which call is next,
 * and what its answer means, is up to `sync.ts`.
 */
import { fieldsOf } from "./errors.ts";

/** One call to the store. */
export interface Call {
  method: "read" | "write" | "remove";
  key: string;
  run(): unknown;
  /** What to do with its answer. */
  take(answer: unknown): void;
}

export interface Calls {
  /** The call that is under way. */
  readonly current: Call | undefined;
  /** Whether a read has answered later than at once. */
  readonly isSlow: boolean;
  /** Makes what calls there are to make; does nothing where that is under way, since `next` is asked again. */
  run(): void;
  /** Resolves when there is nothing more to call; undefined when that is so now. */
  idle(): Promise<void> | undefined;
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof fieldsOf(value)["then"] === "function";

export function createCalls(next: () => Call | undefined, fail: (call: Call, error: unknown) => void): Calls {
  let current: Call | undefined;
  let running: Promise<void> | undefined;
  let isSlow = false;

  function pump(): Promise<void> | undefined {
    for (current = next(); current; current = next()) {
      const call = current;
      try {
        const answer = call.run();
        if (isThenable(answer)) {
          if (call.method === "read") isSlow = true;
          return Promise.resolve(answer)
            .then(call.take, (error) => fail(call, error))
            .then(pump);
        }
        call.take(answer);
      } catch (error) {
        fail(call, error);
      }
    }
    return undefined;
  }

  return {
    get current() {
      return current;
    },
    get isSlow() {
      return isSlow;
    },
    run() {
      if (current) return;
      const mine = pump();
      running = mine;
      mine?.then(() => {
        if (running === mine) running = undefined;
      });
    },
    idle: () => running,
  };
}
