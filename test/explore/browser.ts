/**
 * The store that the tabs share, as a log of all writes. A tab may not see the last of them; its store may answer by hand,
 * fail before or after a call takes effect, or crash with its page.
 */
import type { TokenStore } from "../../src/index.ts";

/** The effect of one fallible call; undefined succeeds. */
export type Effect = "before" | "after" | undefined;

/** The store of one page. */
export interface Page {
  readonly index: number;
  readonly store: TokenStore;
  isOpen: boolean;
  /** Number of writes that a read sees, beside the page's own; all of them unless it is stale. */
  horizon: number;
  /** The content of the last successful read, and the number of writes until then. */
  read: Record<string, string> | undefined;
  heard: number;
  /** True if the last read failed. */
  isReadFailing: boolean;
  /** True if the page has ended something since its last successful read began. */
  isFenced: boolean;
  /** Number of writes left before the page crashes. */
  writesLeft: number;
  /** The next calls of a kind that fail, after some that do not. */
  failing: { skip: number; times: number; kinds: string; effect: Effect };
  /** Calls that the store has not answered yet. */
  readonly waiting: { name: string; run: () => void }[];
  /** Every access token that this page has stored, been given or read. */
  readonly known: Set<string>;
  /** The keys whose last call failed. */
  readonly failedKeys: Set<string>;
  onChange: (() => void) | undefined;
}

const ALL = Number.POSITIVE_INFINITY;
const never = () => new Promise<never>(() => {});
const TOKENS = /test-access-\d+/g;

/** @param fault - decides whether a call fails, for the torture test */
export function createBrowser(isSlow: boolean, fault: (kind: string) => Effect) {
  const log: { page: Page | undefined; key: string; text: string | undefined }[] = [];
  const held = new Map<string, string>();
  /** Index in the log of the last write of each key. */
  const writtenAt = new Map<string, number>();
  let failures = 0;

  function add(page: Page | undefined, key: string, text: string | undefined): void {
    writtenAt.set(key, log.push({ page, key, text }) - 1);
    if (text === undefined) held.delete(key);
    else held.set(key, text);
  }

  /** Returns the content that a page can read: its own writes, and those of others up to its horizon. */
  function seenBy(page: Page): Record<string, string> {
    if (page.horizon >= log.length) return Object.fromEntries(held);
    const seen = new Map<string, string>();
    for (const [at, write] of log.entries()) {
      if (write.page !== page && at >= page.horizon) continue;
      if (write.text === undefined) seen.delete(write.key);
      else seen.set(write.key, write.text);
    }
    return Object.fromEntries(seen);
  }

  function effectOf({ failing }: Page, kind: string): Effect {
    const effect = fault(`store ${kind}`);
    if (effect || failing.times === 0 || !failing.kinds.includes(kind)) return effect;
    if (failing.skip-- > 0) return undefined;
    failing.times--;
    return failing.effect;
  }

  function open(index: number): Page {
    function answer<T>(kind: string, key: string, call: () => T): T | Promise<T> {
      if (!page.isOpen) return never();
      const run = (): T => {
        const effect = effectOf(page, kind);
        // The only effect of a read is its answer.
        if (effect !== "before" && !(effect && kind === "read")) {
          const result = call();
          if (!effect) return result;
        }
        failures++;
        if (kind === "read") page.isReadFailing = true;
        else page.failedKeys.add(key);
        throw new Error("the store failed");
      };
      if (!isSlow) return run();
      return new Promise((resolve, reject) => {
        const deliver = () => {
          if (!page.isOpen) return;
          try {
            resolve(run());
          } catch (error) {
            reject(error);
          }
        };
        page.waiting.push({ name: `${kind} ${key}`, run: deliver });
      });
    }
    function change(kind: string, key: string, text?: string): void | Promise<void> {
      if (page.isOpen && page.writesLeft-- === 0) page.isOpen = false;
      return answer(kind, key, () => {
        page.failedKeys.delete(key);
        add(page, key, text);
      });
    }
    const page: Page = {
      index,
      store: {
        read: () => {
          const { isFenced } = page;
          return answer("read", "", () => {
            page.isReadFailing = false;
            if (isFenced) page.isFenced = false;
            page.heard = Math.min(log.length, page.horizon);
            page.read = seenBy(page);
            for (const token of JSON.stringify(page.read).match(TOKENS) ?? []) page.known.add(token);
            return { ...page.read };
          });
        },
        write: (key, text) => change("write", key, text),
        remove: (key) => change("remove", key),
        subscribe(onChange) {
          page.onChange = onChange;
          return () => {
            page.onChange = undefined;
          };
        },
      },
      isOpen: true,
      horizon: ALL,
      read: undefined,
      heard: -1,
      isReadFailing: false,
      isFenced: false,
      writesLeft: ALL,
      failing: { skip: 0, times: 0, kinds: "", effect: undefined },
      waiting: [],
      known: new Set(),
      failedKeys: new Set(),
      onChange: undefined,
    };
    return page;
  }

  return {
    open,
    held: held as ReadonlyMap<string, string>,
    /** Number of writes. */
    get writes() {
      return log.length;
    },
    /** Number of calls that failed. */
    get failures() {
      return failures;
    },
    seenBy,
    /** Returns whether some string ever contained all these parts. */
    wasStored: (...parts: string[]) => log.some(({ text }) => parts.every((part) => text?.includes(part))),
    /** Returns the keys whose string contains one of these parts, and that a page wrote or could have read. */
    keysSeen: (page: Page, parts: readonly string[]) =>
      [...held].flatMap(([key, text]) => {
        const at = writtenAt.get(key) ?? 0;
        // A store that answers at once is read before each report.
        const isSeen =
          log[at]?.page === page ||
          at < page.heard ||
          (!isSlow && page.horizon === ALL && !page.isReadFailing);
        return isSeen && parts.some((part) => text.includes(`"${part}"`)) ? [key] : [];
      }),
    isStored: (part: string) => [...held.values()].some((text) => text.includes(`"${part}"`)),
    /** Removes everything, as "clear site data" does. */
    clear(): void {
      for (const key of [...held.keys()]) add(undefined, key, undefined);
    },
  };
}

export type Browser = ReturnType<typeof createBrowser>;
