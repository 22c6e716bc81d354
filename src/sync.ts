/**
 * Makes the store equal to the ledger, and knows what is acknowledged. It calls the store one method at a time, in the
 * same tick for as long as the store is synchronous: reads first, then writes, then removes. Which record a key should
 * hold, and what a found record means, is decided by `state.ts`.
 */
import { causeOf, SessionError } from "./errors.ts";
import type { Emitter } from "./events.ts";
import { fieldsOf } from "./json.ts";
import type { Ledger } from "./ledger.ts";
import { endedKey, isPending, join, keyOf, liveKey, parse, type SessionRecord, serialize } from "./record.ts";
import { DOCUMENTED, type TokenStore } from "./store.ts";

/** The content of the store as a read found it, as far as it is new. */
export interface Snapshot {
  found: SessionRecord[];
  /** Ids of records whose acknowledged key disappeared, while no other key of theirs is there. */
  gone: string[];
  /** Tokens that other code stored. */
  documented: string | undefined;
}

/** Called with the content of a successful read, or with undefined after a failed one. */
export type OnRead = (snapshot: Snapshot | undefined) => void;

export interface Sync {
  /** Whether the first read has settled; true without a store. */
  readonly isRestored: boolean;
  /** Whether another tab or process may write to the store, and reports it. */
  readonly isShared: boolean;
  /** Whether a store that could be read before cannot be read now: other tabs may have written to it. */
  readonly isReadFailing: boolean;
  /** Why the store cannot be trusted to hold nothing else: a failed or late read, or a string that is not understood. */
  readError(): SessionError | undefined;
  /** Checks the keys of a record at the next run. */
  mark(id: string): void;
  /** Removes the key of documented tokens once their record is written. */
  adopted(): void;
  /** Writes and removes what differs. Does nothing while a call is in flight, which continues with it. */
  run(): void;
  /** Reads the store. Returns a promise only if the store does not answer at once; it never rejects. */
  read(onRead: OnRead): Promise<void> | undefined;
  /** Reads the store only if it is known to answer at once, or was never read. */
  readAtOnce(onRead: OnRead): void;
  /** Resolves when the store has settled every call; undefined if it has. */
  idle(): Promise<void> | undefined;
  /** Returns whether the store is known to hold all of a record. */
  holds(id: string): boolean;
  /** Returns what the store is known to hold of a session. */
  localOf(id: string, isFinal: boolean): "cleared" | "pending" | "failed";
  /** Returns why the content of a session's keys is not as wanted. */
  errorOf(id: string): SessionError | undefined;
}

/** What is known of the content of a key; no entry: the key is acknowledged to be absent. */
interface Held {
  string?: string;
  /** Absent: the string is not a record of this origin. */
  record?: SessionRecord | undefined;
  /** The string is not understood, so that it may hold a token. */
  isOpaque?: boolean;
  /** The acknowledgement of a call got lost: the key may hold something else. */
  isUnknown?: boolean;
  /** A token may be read back from the key. */
  mayHoldToken: boolean;
}

interface Call {
  method: "read" | "write" | "remove";
  key: string;
  record?: SessionRecord;
}

/** A failed write is retried once immediately, then at the next change or read. */
const TRIES = 2;

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof fieldsOf(value)["then"] === "function";

const isSnapshot = (answer: unknown): answer is Record<string, string> =>
  Object.prototype.toString.call(answer) === "[object Object]" &&
  Object.values(fieldsOf(answer)).every((string) => typeof string === "string");

export function createSync(
  store: TokenStore | undefined,
  origin: string,
  ledger: Ledger,
  wanted: (id: string) => SessionRecord | undefined,
  events: Emitter,
  debug: (line: string) => void,
): Sync {
  if (!store) return noStore(ledger);

  const held = new Map<string, Held>();
  const toWrite = new Set<string>();
  const toRemove = new Set<string>();
  const failures = new Map<string, { id: string; error: SessionError; tries: number }>();
  const readers: { onRead: OnRead; resolve?: () => void }[] = [];
  let current: Call | undefined;
  let running: Promise<void> | undefined;
  let isSlow = false;
  let isRestored = false;
  let hasBeenRead = false;

  const triesOf = (method: Call["method"], key: string) => failures.get(`${method} ${key}`)?.tries ?? 0;

  function mark(id: string): void {
    toWrite.add(id);
    toRemove.add(id);
  }

  /** Everything that failed is worth another try. */
  function retry(): void {
    for (const failure of failures.values()) {
      failure.tries = 0;
      mark(failure.id);
    }
  }

  /** Returns the record to write under its key; undefined if the key holds all of it already. */
  function missing(id: string): SessionRecord | undefined {
    const record = wanted(id);
    if (!record) return undefined;
    const { record: stored, isUnknown } = held.get(keyOf(record)) ?? {};
    const joined = stored ? join(stored, record) : record;
    return joined === stored && !isUnknown ? undefined : joined;
  }

  /** Returns the key to remove, if one of a session's keys holds too much. */
  function excess(id: string): string | undefined {
    const record = wanted(id);
    const [live, ended] = [liveKey(id), endedKey(id)];
    const isRemovable = (key: string) => held.has(key) && triesOf("remove", key) < TRIES;
    if (!record) return [live, ended].find(isRemovable);
    if (!record.ending) return undefined;
    const isStored = !missing(id);
    // Never remove a token while its ending is not stored.
    if (isRemovable(live) && (isStored || !record.tokens)) return live;
    // A tombstone that cannot be written: an earlier string with a token may be there instead.
    return !isStored && !record.tokens && held.get(ended)?.mayHoldToken && isRemovable(ended)
      ? ended
      : undefined;
  }

  function next(): Call | undefined {
    if (readers.length > 0) return { method: "read", key: "" };
    for (const id of toWrite) {
      const record = missing(id);
      if (record && triesOf("write", keyOf(record)) < TRIES)
        return { method: "write", key: keyOf(record), record };
      toWrite.delete(id);
    }
    // Adopted tokens are removed once their record is written.
    if (held.has(DOCUMENTED) && triesOf("remove", DOCUMENTED) < TRIES)
      return { method: "remove", key: DOCUMENTED };
    for (const id of toRemove) {
      const key = excess(id);
      if (key) return { method: "remove", key };
      toRemove.delete(id);
    }
    return undefined;
  }

  const send = ({ method, key, record }: Call): unknown => {
    debug(`store ${method}${method === "read" ? "" : ` ${key}`}`);
    if (method === "read") return store.read();
    return record ? store.write(key, serialize(record)) : store.remove(key);
  };

  function succeeded({ method, key, record }: Call, answer: unknown, listeners: typeof readers): void {
    if (method === "read") return taken(answer, listeners);
    forgive(key);
    if (record) held.set(key, { string: serialize(record), record, mayHoldToken: !!record.tokens });
    else {
      held.delete(key);
      // There may be room now for a write that failed.
      retry();
    }
  }

  const forgive = (key: string) =>
    ["write", "remove"].forEach((method) => failures.delete(`${method} ${key}`));

  function failed({ method, key, record }: Call, cause: unknown, listeners: typeof readers): void {
    const known = failures.get(`${method} ${key}`);
    const error =
      known?.error ??
      new SessionError("store-failed", `${method}() of the store failed`, { cause: causeOf(cause) });
    failures.set(`${method} ${key}`, {
      id: key.replace(/^\w+\./, ""),
      error,
      tries: (known?.tries ?? 0) + 1,
    });
    if (!known) events.emit({ type: "store-failed", error });
    if (method === "read") return finishRead(listeners, undefined);
    const before = held.get(key);
    held.set(key, {
      ...before,
      isUnknown: true,
      mayHoldToken: !!before?.mayHoldToken || !!record?.tokens || key === DOCUMENTED,
    });
  }

  function finishRead(listeners: typeof readers, snapshot: Snapshot | undefined): void {
    isRestored = true;
    for (const { onRead, resolve } of listeners) {
      onRead(snapshot);
      resolve?.();
      if (snapshot) snapshot = { found: [], gone: [], documented: undefined };
    }
  }

  function taken(answer: unknown, listeners: typeof readers): void {
    if (!isSnapshot(answer))
      return failed({ method: "read", key: "" }, { name: "not a plain object of strings" }, listeners);
    failures.delete("read ");
    hasBeenRead = true;
    const snapshot: Snapshot = { found: [], gone: [], documented: answer[DOCUMENTED] };
    const now = Date.now();
    for (const [key, { record, isUnknown }] of held) {
      if (Object.hasOwn(answer, key)) continue;
      held.delete(key);
      if (!record) continue;
      mark(record.id);
      const isMoved = [liveKey, endedKey].some((keyIn) => {
        const string = answer[keyIn(record.id)];
        return string !== undefined && parse(keyIn(record.id), string, now) !== undefined;
      });
      if (!isUnknown && !isMoved) snapshot.gone.push(record.id);
    }
    for (const [key, string] of Object.entries(answer)) {
      const before = held.get(key);
      if (key === DOCUMENTED || (before?.string === string && !before.isUnknown)) continue;
      const record = parse(key, string, now);
      const isOurs = record?.origin === origin;
      held.set(key, {
        string,
        record: isOurs ? record : undefined,
        isOpaque: !record,
        mayHoldToken: !record || !!record.tokens,
      });
      forgive(key);
      if (isOurs) {
        mark(record.id);
        snapshot.found.push(record);
      } else if (!record) events.emit({ type: "store-failed", error: notUnderstood() });
    }
    finishRead(listeners, snapshot);
  }

  /** Calls the store until nothing is left to do; returns a promise as soon as the store does. */
  function pump(): Promise<void> | undefined {
    for (let call = next(); call; call = next()) {
      current = call;
      const made = call;
      const listeners = made.method === "read" ? readers.splice(0) : [];
      const succeed = (answer: unknown) => events.batch(() => succeeded(made, answer, listeners));
      const fail = (error: unknown) => events.batch(() => failed(made, error, listeners));
      let answer: unknown;
      try {
        answer = send(made);
      } catch (error) {
        fail(error);
        continue;
      }
      if (isThenable(answer)) {
        if (made.method === "read") isSlow = true;
        return Promise.resolve(answer).then(succeed, fail).then(pump);
      }
      succeed(answer);
    }
    current = undefined;
    return undefined;
  }

  function run(): void {
    if (current) return;
    const mine = pump();
    running = mine;
    void mine?.then(() => {
      if (running === mine) running = undefined;
    });
  }

  const late = () => new SessionError("store-failed", "the store did not answer in time");
  const notUnderstood = () =>
    new SessionError(
      "store-failed",
      "a key of the store holds a string that is not a record of this version; it was left alone",
    );

  return {
    get isRestored() {
      return isRestored;
    },
    isShared: store.subscribe !== undefined,
    get isReadFailing() {
      return hasBeenRead && failures.has("read ");
    },
    readError: () =>
      failures.get("read ")?.error ??
      (isRestored ? undefined : late()) ??
      ([...held.values()].some(({ isOpaque }) => isOpaque) ? notUnderstood() : undefined),
    mark,
    adopted: () => void held.set(DOCUMENTED, { mayHoldToken: true }),
    run() {
      if (!current) retry();
      run();
    },
    read(onRead) {
      if (!current) retry();
      const reader: (typeof readers)[number] = { onRead };
      readers.push(reader);
      run();
      if (!readers.includes(reader) && current?.method !== "read") return undefined;
      return new Promise((resolve) => {
        reader.resolve = resolve;
      });
    },
    readAtOnce(onRead) {
      if (!isSlow && !current) void this.read(onRead);
    },
    idle: () => running,
    holds: (id) => !missing(id),
    localOf(id, isFinal) {
      const keys = [liveKey(id), endedKey(id)];
      const [live, ended] = keys.map((key) => held.get(key));
      if (current && !isFinal && !keys.some((key) => held.get(key)?.isUnknown)) return "pending";
      const writes = (key: string) => current?.method === "write" && current.key === key;
      if (live?.mayHoldToken || held.has(DOCUMENTED) || writes(liveKey(id))) return "failed";
      if (isPending(ledger.records.get(id)))
        return ended?.record && !ended.isUnknown && ended.record.ending ? "pending" : "failed";
      return ended?.mayHoldToken || (writes(endedKey(id)) && current?.record?.tokens) ? "failed" : "cleared";
    },
    errorOf(id) {
      const keys = [liveKey(id), endedKey(id), DOCUMENTED];
      for (const key of keys)
        for (const method of ["write", "remove"]) {
          const failure = failures.get(`${method} ${key}`);
          if (failure) return failure.error;
        }
      if (keys.some((key) => held.get(key)?.isOpaque)) return notUnderstood();
      return failures.get("read ")?.error ?? late();
    },
  };
}

/** Without a store a session lives in memory, and nothing of it can be read back. */
const noStore = ({ records }: Ledger): Sync => ({
  isRestored: true,
  isShared: false,
  isReadFailing: false,
  readError: () => undefined,
  mark() {},
  adopted() {},
  run() {},
  read(onRead) {
    onRead({ found: [], gone: [], documented: undefined });
    return undefined;
  },
  readAtOnce() {},
  idle: () => undefined,
  holds: () => false,
  localOf: (id) => (isPending(records.get(id)) ? "pending" : "cleared"),
  errorOf: () => undefined,
});
