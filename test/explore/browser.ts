/**
 * The store that the tabs of a browser share, as a log of all writes: a tab may not have seen the last of them, its store
 * may answer later, fail, or crash with its page.
 */
import type { TokenStore } from "../../src/store.ts";

interface Write {
  tab: number;
  key: string;
  text: string | undefined;
}

/** What one tab has of it. */
export interface Page {
  readonly store: TokenStore;
  /** How many writes of others it has seen; all, where it is not stale. */
  horizon: number;
  /** How many writes there were when it last read all of them. */
  heard: number;
  isOpen: boolean;
  /** How many writes it has left before it crashes. */
  writesLeft: number;
  /** How many of its next writes succeed, and how many fail after them. */
  failing: { after: number; times: number };
  /** The calls that its store has not answered yet. */
  readonly waiting: (() => void)[];
}

const ALL = Number.POSITIVE_INFINITY;

export function createBrowser(isSlow: boolean) {
  const log: Write[] = [];
  const held = new Map<string, string>();

  function add(write: Write): void {
    log.push(write);
    apply(held, write);
  }

  function apply(texts: Map<string, string>, { key, text }: Write): void {
    if (text === undefined) texts.delete(key);
    else texts.set(key, text);
  }

  /** What a tab can read: all of its own writes, and those of others up to its horizon. */
  function seenBy(index: number, horizon: number): ReadonlyMap<string, string> {
    if (horizon >= log.length) return held;
    const texts = new Map<string, string>();
    for (const [at, write] of log.entries()) if (write.tab === index || at < horizon) apply(texts, write);
    return texts;
  }

  function open(index: number): Page {
    const answer = <T>(call: () => T): T | Promise<T> => {
      if (!page.isOpen) return new Promise(() => {});
      if (!isSlow) return call();
      return new Promise((resolve, reject) => {
        page.waiting.push(() => {
          try {
            resolve(call());
          } catch (error) {
            reject(error);
          }
        });
      });
    };
    const write = (key: string, text?: string) =>
      answer(() => {
        if (page.writesLeft === 0) {
          page.isOpen = false;
          throw new Error("a page that crashes");
        }
        page.writesLeft--;
        page.failing.after--;
        if (page.failing.after < 0 && page.failing.times > 0) {
          page.failing.times--;
          throw new Error("a store that fails");
        }
        add({ tab: index, key, text });
      });
    const page: Page = {
      store: {
        read: () =>
          answer(() => {
            if (page.horizon > log.length) page.heard = log.length;
            return Object.fromEntries(seenBy(index, page.horizon));
          }),
        write,
        remove: (key) => write(key),
      },
      horizon: ALL,
      heard: 0,
      isOpen: true,
      writesLeft: ALL,
      failing: { after: 0, times: 0 },
      waiting: [],
    };
    return page;
  }

  return {
    open,
    /** What it holds, by its keys. */
    held: held as ReadonlyMap<string, string>,
    /** How many writes there were. */
    get writes() {
      return log.length;
    },
    /** Whether nobody else has written since that tab last read all. */
    hasHeardAll: (index: number, { heard }: Page) => log.slice(heard).every(({ tab }) => tab === index),
    /** Whether some text ever held that. */
    wasStored: (part: string) => log.some(({ text }) => text?.includes(part)),
    /** Whether a text holds that now. */
    isStored: (part: string) => [...held.values()].some((text) => text.includes(part)),
    /** Somebody removes all that is there, as "clear site data" does; says what it was. */
    empty(): string {
      const texts = [...held.values()].join();
      for (const key of [...held.keys()]) add({ tab: -1, key, text: undefined });
      return texts;
    },
  };
}

export type Browser = ReturnType<typeof createBrowser>;
