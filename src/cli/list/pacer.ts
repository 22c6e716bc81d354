/**
 * Keeps all requests of a list from going out while the server wants rest: one 429 pauses every worker, as long
 * as `Retry-After` says or else twice as long each time. It decides when it is no use to go on.
 */
import type { SessionError } from "../../errors.ts";

export interface Pacer {
  /** Resolves when a request may go out, to the number of the pause that came before it. */
  turn(): Promise<number>;
  /** An answer to a request that went out at that turn; undefined for one that asks for no rest. */
  heard(turn: number, error: SessionError | undefined): void;
  /** Ends a pause, and lets every further turn pass. */
  release(): void;
}

/** Longer than this is for another run. */
const LONGEST_PAUSE = 600_000;
/** So many pauses with nothing but 429 between them, which takes two minutes at least. */
const MOST_PAUSES = 10;
const FIRST_BACKOFF = 250;
const LONGEST_BACKOFF = 30_000;

/** @param giveUp - told once, and why, when waiting is no use */
export function createPacer(giveUp: (reason: string) => void): Pacer {
  let pauses = 0;
  let inARow = 0;
  let until = 0;
  let isReleased = false;
  let wake = () => {};
  let pause: Promise<void> | undefined;

  async function wait(): Promise<void> {
    for (let left = until - Date.now(); left > 0 && !isReleased; left = until - Date.now()) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  function rest(ms: number): void {
    until = Math.max(until, Date.now() + ms);
    // One wait for all, which a later and longer one extends.
    pause ??= wait().finally(() => {
      pause = undefined;
    });
  }

  return {
    async turn() {
      while (pause && !isReleased) await pause;
      return pauses;
    },
    heard(turn, error) {
      if (!error) {
        inARow = 0;
        return;
      }
      const { retryAfter } = error;
      if (retryAfter !== undefined && retryAfter > LONGEST_PAUSE)
        return giveUp(`the server asks to wait ${Math.ceil(retryAfter / 60_000)} minutes`);
      // Of a burst that was under way together, the first answer counts as a pause of its own.
      if (turn === pauses) {
        pauses += 1;
        inARow += 1;
        if (inARow > MOST_PAUSES) return giveUp("the server answers 429 to everything");
      } else if (retryAfter === undefined) return;
      // A short Retry-After that comes again and again is not believed.
      rest(Math.max(retryAfter ?? 0, Math.min(FIRST_BACKOFF * 2 ** (inARow - 1), LONGEST_BACKOFF)));
    },
    release() {
      isReleased = true;
      wake();
    },
  };
}
