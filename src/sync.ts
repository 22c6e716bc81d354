/**
 * The ledger and the store made alike. What the store holds is joined into the ledger, what the ledger has and the
 * store lacks is written, one call after the other. Nobody else writes, and what failed is never taken for done.
 */
import { type Call, createCalls } from "./calls.ts";
import { causeOf, SessionError } from "./errors.ts";
import { type Advance, advance, type Ledger, learn, type Policy } from "./ledger.ts";
import { asOver, isPending, keyOf, keysOf, recordOf, type SessionRecord, textOf } from "./record.ts";
import { DOCUMENTED, type TokenStore } from "./store.ts";
import { fieldsOf } from "./unknown.ts";

/** What is told of the ledger and the store. */
export interface Owner {
  /** Makes a record of tokens that were kept by other code. */
  adopt(text: string): SessionRecord | undefined;
  /** What a record that was read stands for; an ending that was called before the read may be meant for it. */
  onFound(record: SessionRecord): SessionRecord;
  /** The ledger has moved on. */
  onMoved(before: Ledger, givenUp: Advance["givenUp"]): void;
  /** A read is over, whether it failed or not. */
  onRead(isFirst: boolean): void;
  /** The store did not do what it was asked. */
  onFailed(error: SessionError): void;
  /** Does what belongs together: nobody is told of half of it. */
  together<T>(change: () => T): T;
}

export interface Sync {
  readonly ledger: Ledger;
  /** Whether others write to the store, and are heard of. */
  readonly isShared: boolean;
  /** Whether the first read is over. */
  readonly isRestored: boolean;
  /** Why the last read failed, or that it has not answered yet. */
  readonly readError: SessionError | undefined;
  /** Joins copies into the ledger, applies the rules, and writes what has changed. */
  join(copies: Iterable<SessionRecord>): void;
  /** Reads the store. A promise only where it does not answer at once; it never rejects. */
  read(): Promise<void> | undefined;
  /** Reads the store if it is known to answer at once, or was never read. */
  readAtOnce(): void;
  /** Resolves when the store has answered everything; undefined when it has. */
  idle(): Promise<void> | undefined;
  /**
   * What the store is known to hold of a session: nothing, what waits to be ended, or a token that ought to be gone.
   * A call that is under way counts as failed only where it is late.
   */
  localOf(id: string, isLate: boolean): "cleared" | "pending" | "failed";
  /** What the last write of that session failed at, or that it has not been answered. */
  errorOf(id: string): SessionError | undefined;
}

/** A write that fails is tried again at once, and then at the next change or read. */
const TRIES = 2;

const isText = (entry: [string, unknown]): entry is [string, string] => typeof entry[1] === "string";

export function createSync(store: TokenStore, origin: string, policy: Policy, owner: Owner): Sync {
  /** The text of each key, as the store is known to have it. */
  const held = new Map<string, string>();
  /** The sessions of which the store may lack something, or have too much. */
  const unsynced = new Set<string>();
  /** What the last call of a key failed at, or of `read`, and how often since it was last worth trying. */
  const failures = new Map<string, { error: SessionError; tries: number }>();
  let ledger: Ledger = new Map();
  let isRestored = false;

  const triesOf = (key: string) => failures.get(key)?.tries ?? 0;
  /** Whatever has failed is worth trying again. */
  const tryAgain = () => {
    for (const failure of failures.values()) failure.tries = 0;
  };

  function move(
    copies: Iterable<SessionRecord>,
    gone: Iterable<string> = [],
    removed: Advance["givenUp"] = [],
  ): void {
    const before = ledger;
    const next = advance(learn(before, copies, gone), Date.now(), policy);
    const givenUp = [...removed, ...next.givenUp];
    for (const id of new Set([...before.keys(), ...next.ledger.keys()]))
      if (before.get(id) !== next.ledger.get(id)) unsynced.add(id);
    ledger = next.ledger;
    owner.onMoved(before, givenUp);
  }

  /** Takes over what the store holds. */
  function take(answer: unknown): void {
    const texts = new Map(Object.entries(fieldsOf(answer)).filter(isText));
    const found: SessionRecord[] = [];
    const removed: Advance["givenUp"] = [];
    const gone = new Set<string>();
    for (const key of held.keys()) {
      if (texts.has(key)) continue;
      held.delete(key);
      const record = [...ledger.values()].find(({ id }) => Object.values(keysOf(id)).includes(key));
      if (!record || texts.has(keysOf(record.id).ended)) continue;
      // Gone without a word: somebody removed it, and the session is over here, too. That says nothing of its tokens:
      // a tab that holds them still, and could not write down that it is ending them, goes on.
      gone.add(record.id);
      if (isPending(record)) {
        removed.push({ record, reason: "removed" });
        found.push(asOver(record, Date.now()));
      } else if (record.tokens)
        found.push({ ...asOver(record, Date.now()), generation: record.generation - 1 });
    }
    for (const [key, text] of texts) {
      // As it was acknowledged: there is nothing new in it.
      if (held.get(key) === text) continue;
      const record = recordOf(key, text, origin);
      if (!record) continue;
      held.set(key, text);
      unsynced.add(record.id);
      found.push(owner.onFound(record));
    }
    const documented = texts.get(DOCUMENTED);
    const adopted =
      documented && found.length + ledger.size === gone.size ? owner.adopt(documented) : undefined;
    if (documented && adopted) {
      held.set(DOCUMENTED, documented);
      found.push(owner.onFound(adopted));
    }
    failures.delete("read");
    wasRead(() => move(found, gone, removed));
  }

  function wasRead(change: () => void): void {
    const isFirst = !isRestored;
    isRestored = true;
    change();
    owner.onRead(isFirst);
  }

  const wanted = (id: string, key: string): string | undefined => {
    const record = ledger.get(id);
    return record && keyOf(record) === key ? textOf(record) : undefined;
  };

  const reading: Call = {
    method: "read",
    key: "read",
    run: () => store.read(),
    take: (answer) => owner.together(() => take(answer)),
  };

  /** The next write: first what the store lacks, then what it has too much. */
  function next(): Call | undefined {
    const open = [...unsynced].flatMap((id) =>
      Object.values(keysOf(id)).map((key) => ({ id, key, text: wanted(id, key) })),
    );
    const unlike = open.filter(({ key, text }) => held.get(key) !== text);
    for (const id of unsynced) if (!unlike.some((one) => one.id === id)) unsynced.delete(id);
    const todo = unlike.filter(({ key }) => triesOf(key) < TRIES);
    const put = todo.find(({ text }) => text !== undefined);
    if (put?.text !== undefined) return writing(put.key, put.text);
    // Tokens of other code are removed once they are written as a record.
    const isAdopted = held.has(DOCUMENTED) && !triesOf(DOCUMENTED);
    const extra = isAdopted && unlike.every(({ text }) => text === undefined) ? DOCUMENTED : todo[0]?.key;
    return extra === undefined ? undefined : removing(extra);
  }

  const writing = (key: string, text: string): Call => ({
    method: "write",
    key,
    run: () => store.write(key, text),
    take() {
      held.set(key, text);
      failures.delete(key);
    },
  });

  const removing = (key: string): Call => ({
    method: "remove",
    key,
    run: () => store.remove(key),
    take() {
      held.delete(key);
      failures.delete(key);
      // There may be room now for what could not be written.
      tryAgain();
    },
  });

  function fail({ method, key }: Call, cause: unknown): void {
    const tries = triesOf(key);
    const known = tries > 0 ? failures.get(key)?.error : undefined;
    const error = known ?? new SessionError("store-failed", method, { cause: causeOf(cause) });
    failures.set(key, { error, tries: tries + 1 });
    if (!known) owner.onFailed(error);
    if (method === "read") wasRead(() => {});
  }

  const calls = createCalls(reading, next, fail);
  function read(): Promise<void> | undefined {
    if (!calls.current) tryAgain();
    // The first one, while it is under way, is as good as another.
    const joins = !isRestored && calls.current === reading;
    return owner.together(() => calls.read(joins));
  }

  const late = () => new SessionError("store-failed", "no answer in time");

  return {
    get ledger() {
      return ledger;
    },
    get isShared() {
      return store.subscribe !== undefined;
    },
    get isRestored() {
      return isRestored;
    },
    get readError() {
      return failures.get("read")?.error ?? (isRestored ? undefined : late());
    },
    join(copies) {
      owner.together(() => {
        move(copies);
        // Whoever is calling the store sees what is new.
        if (!calls.current) tryAgain();
        calls.run();
      });
    },
    read,
    readAtOnce() {
      if (!calls.isSlow) read();
    },
    idle: calls.idle,
    localOf(id, isLate) {
      const keys = keysOf(id);
      const record = ledger.get(id);
      const isFailed = Object.values(keys).some((key) => failures.has(key));
      if (calls.current && !isLate && !isFailed)
        return isPending(record) || unsynced.has(id) ? "pending" : "cleared";
      const isWriting = calls.current?.method === "write" && Object.values(keys).includes(calls.current.key);
      const isLeft = (key: string) => held.has(key) && held.get(key) !== wanted(id, key);
      if (isPending(record)) return isLeft(keys.live) ? "failed" : "pending";
      return isWriting || isLeft(keys.live) || isLeft(keys.ended) ? "failed" : "cleared";
    },
    errorOf(id) {
      const keys = Object.values(keysOf(id));
      const failed = keys.map((key) => failures.get(key)?.error).find((error) => error);
      return failed ?? (unsynced.has(id) && calls.current ? late() : undefined);
    },
  };
}
