/**
 * Calls a store, one call after the other, reads first, and in the same tick for as long as it answers at once. Which
 * call is next, and what its answer means, is up to `sync.ts`.
 */
import { fieldsOf } from "./unknown.ts";

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
  /**
   * Reads before anything else is called, or joins the read that is under way. Resolves once that is over; undefined
   * when it is over already.
   */
  read(joins: boolean): Promise<void> | undefined;
  /** Resolves when there is nothing more to call; undefined when that is so now. */
  idle(): Promise<void> | undefined;
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof fieldsOf(value)["then"] === "function";

export function createCalls(
  reading: Call,
  next: () => Call | undefined,
  fail: (call: Call, error: unknown) => void,
): Calls {
  let current: Call | undefined;
  let running: Promise<void> | undefined;
  let isSlow = false;
  let isReadWanted = false;
  const readers: (() => void)[] = [];

  function begin(): Call | undefined {
    current = isReadWanted ? reading : next();
    if (current === reading) isReadWanted = false;
    return current;
  }

  function finish(call: Call, take: () => void): void {
    take();
    if (call === reading && !isReadWanted) for (const resolve of readers.splice(0)) resolve();
  }

  function pump(): Promise<void> | undefined {
    for (let call = begin(); call; call = begin()) {
      const made = call;
      const take = (answer: unknown) => finish(made, () => made.take(answer));
      const refuse = (error: unknown) => finish(made, () => fail(made, error));
      try {
        const answer = made.run();
        if (isThenable(answer)) {
          if (made === reading) isSlow = true;
          return Promise.resolve(answer).then(take, refuse).then(pump);
        }
        take(answer);
      } catch (error) {
        refuse(error);
      }
    }
    return undefined;
  }

  function run(): void {
    if (current) return;
    const mine = pump();
    running = mine;
    mine?.then(() => {
      if (running === mine) running = undefined;
    });
  }

  return {
    get current() {
      return current;
    },
    get isSlow() {
      return isSlow;
    },
    run,
    read(joins) {
      if (!joins) isReadWanted = true;
      run();
      return !isReadWanted && current !== reading
        ? undefined
        : new Promise((resolve) => readers.push(resolve));
    },
    idle: () => running,
  };
}
