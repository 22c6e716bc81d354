/**
 * Makes the store equal to the ledger, and tracks the acknowledgements. It calls the store one method at a time, in the
 * same tick for as long as the store is synchronous: reads first, then writes, then removes. `state.ts` decides
 * which record a key should hold, and how to treat a found record.
 */
import { causeOf, SessionError } from "./errors.ts";
import type { Emitter } from "./events.ts";
import { fieldsOf } from "./json.ts";
import type { Config } from "./options.ts";
import { endedKey, isPending, join, keyOf, liveKey, parse, type SessionRecord, serialize } from "./record.ts";
import { DOCUMENTED } from "./store.ts";

/** The content of the store as a read found it, as far as it is new. */
export interface Snapshot {
  /** No read before it has succeeded. */
  isFirst: boolean;
  found: SessionRecord[];
  /** Ids of records whose acknowledged key disappeared, while no other key of theirs is there. */
  gone: string[];
  /** Tokens that other code stored. */
  documented: string | undefined;
}

/** Called with the content of a successful read, or with undefined after a failed one. */
type OnRead = (snapshot: Snapshot | undefined) => void;

interface Reader {
  onRead: OnRead;
  resolve?: () => void;
}

/** The known content of a key; without an entry, the key is acknowledged to be absent. */
interface Held {
  string?: string;
  /** Absent: the string is not a record of this origin. */
  record?: SessionRecord | undefined;
  /** The string is not understood, so that it is left alone and may hold a token. */
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

const isStrings = (answer: unknown): answer is Record<string, string> =>
  Object.prototype.toString.call(answer) === "[object Object]" &&
  Object.values(fieldsOf(answer)).every((string) => typeof string === "string");

/** @param wanted - returns a record as the store should hold it; undefined if it should hold nothing of that id */
export function createSync(
  { store, origin, debug }: Config,
  wanted: (id: string) => SessionRecord | undefined,
  events: Emitter,
) {
  const held = new Map<string, Held>();
  /** Ids whose keys are to be checked, and the failures of calls, which are retried. */
  const toWrite = new Set<string>();
  const toRemove = new Set<string>();
  const failures = new Map<string, { id: string; error: SessionError; tries: number }>();
  const readers: Reader[] = [];
  let current: Call | undefined;
  let running: Promise<void> | undefined;
  let isSlow = false;
  /** The first read has settled; one has succeeded. */
  let isRestored = !store;
  let hasRead = false;

  const failureOf = (method: Call["method"], key: string) => failures.get(`${method} ${key}`);
  const isWorthTrying = (method: Call["method"], key: string) =>
    (failureOf(method, key)?.tries ?? 0) < TRIES && !held.get(key)?.isOpaque;

  /** Checks the keys of a record at the next run. */
  function mark(id: string): void {
    if (!store) return;
    toWrite.add(id);
    toRemove.add(id);
  }

  function retryFailures(): void {
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
    const isRemovable = (key: string) => held.has(key) && isWorthTrying("remove", key);
    if (!record) return [liveKey(id), endedKey(id)].find(isRemovable);
    if (!record.ending) return undefined;
    const isStored = !missing(id);
    // Never remove a token while its ending is not stored.
    if (isRemovable(liveKey(id)) && (isStored || !record.tokens)) return liveKey(id);
    // A tombstone that cannot be written: an earlier string with a token may be there instead.
    const ended = endedKey(id);
    const isLeft = !isStored && !record.tokens && held.get(ended)?.mayHoldToken && isRemovable(ended);
    return isLeft ? ended : undefined;
  }

  function next(): Call | undefined {
    if (readers.length > 0) return { method: "read", key: "" };
    for (const id of toWrite) {
      const record = missing(id);
      if (record && isWorthTrying("write", keyOf(record)))
        return { method: "write", key: keyOf(record), record };
      toWrite.delete(id);
    }
    // Adopted tokens are removed once their record is written.
    if (held.has(DOCUMENTED) && isWorthTrying("remove", DOCUMENTED))
      return { method: "remove", key: DOCUMENTED };
    for (const id of toRemove) {
      const key = excess(id);
      if (key) return { method: "remove", key };
      toRemove.delete(id);
    }
    return undefined;
  }

  function send({ method, key, record }: Call): unknown {
    debug?.(`store ${method} ${key}`);
    if (method === "read") return store?.read();
    return record ? store?.write(key, serialize(record)) : store?.remove(key);
  }

  function succeeded({ method, key, record }: Call, answer: unknown, listeners: Reader[]): void {
    if (method === "read") {
      if (isStrings(answer)) finishRead(listeners, take(answer));
      else failed({ method, key }, { name: "the answer is not a plain object of strings" }, listeners);
      return;
    }
    forgive(key);
    if (record) held.set(key, { string: serialize(record), record, mayHoldToken: !!record.tokens });
    else {
      held.delete(key);
      // There may be room now for a write that failed.
      retryFailures();
    }
  }

  function forgive(key: string): void {
    for (const method of ["write", "remove"]) failures.delete(`${method} ${key}`);
  }

  function failed({ method, key, record }: Call, cause: unknown, listeners: Reader[]): void {
    const known = failureOf(method, key);
    const error =
      known?.error ??
      new SessionError("store-failed", `${method}() of the store failed`, { cause: causeOf(cause) });
    const tries = (known?.tries ?? 0) + 1;
    failures.set(`${method} ${key}`, { id: key.replace(/^\w+\./, ""), error, tries });
    if (!known) events.emit({ type: "store-failed", error });
    if (method === "read") {
      finishRead(listeners, undefined);
      return;
    }
    const before = held.get(key);
    const mayHoldToken = !!before?.mayHoldToken || !!record?.tokens || key === DOCUMENTED;
    held.set(key, { ...before, isUnknown: true, mayHoldToken });
  }

  function finishRead(listeners: Reader[], snapshot: Snapshot | undefined): void {
    isRestored = true;
    for (const [index, { onRead, resolve }] of listeners.entries()) {
      onRead(snapshot && index > 0 ? { ...snapshot, found: [], gone: [] } : snapshot);
      resolve?.();
    }
  }

  function take(strings: Record<string, string>): Snapshot {
    failures.delete("read ");
    const snapshot: Snapshot = { isFirst: !hasRead, found: [], gone: [], documented: strings[DOCUMENTED] };
    hasRead = true;
    const now = Date.now();
    const isThere = (key: string) => parse(key, strings[key] ?? "", now) !== undefined;
    for (const [key, { record, isUnknown }] of held) {
      if (strings[key] !== undefined) continue;
      held.delete(key);
      if (!record) continue;
      const { id } = record;
      mark(id);
      if (!isUnknown && !isThere(liveKey(id)) && !isThere(endedKey(id))) snapshot.gone.push(id);
    }
    for (const [key, string] of Object.entries(strings)) {
      const before = held.get(key);
      if (key === DOCUMENTED || (before?.string === string && !before.isUnknown)) continue;
      const parsed = parse(key, string, now);
      const record = parsed?.origin === origin ? parsed : undefined;
      held.set(key, { string, record, isOpaque: !parsed, mayHoldToken: !parsed?.ending || !!parsed.tokens });
      forgive(key);
      if (!parsed) events.emit({ type: "store-failed", error: notUnderstood() });
      if (!record) continue;
      mark(record.id);
      snapshot.found.push(record);
    }
    return snapshot;
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

  /** Writes and removes what differs. A call in flight continues with it. */
  function run(): void {
    if (current || !store) return;
    retryFailures();
    const mine = pump();
    running = mine;
    void mine?.then(() => {
      if (running === mine) running = undefined;
    });
  }

  /** Reads the store. Returns a promise only if the store does not answer at once; it never rejects. */
  function read(onRead: OnRead): Promise<void> | undefined {
    const reader: Reader = { onRead };
    if (store) readers.push(reader);
    else onRead({ isFirst: false, found: [], gone: [], documented: undefined });
    run();
    if (!readers.includes(reader) && current?.method !== "read") return undefined;
    return new Promise((resolve) => {
      reader.resolve = resolve;
    });
  }

  const late = () => new SessionError("store-failed", "the store did not answer in time");
  const notUnderstood = () =>
    new SessionError(
      "store-failed",
      "a key of the store holds a string that is not a record of this version; it was left alone",
    );

  return {
    /** The first read has settled; true without a store. */
    get isRestored() {
      return isRestored;
    },
    /** A store that could be read before cannot be read now: other tabs may have written to it. */
    get isReadFailing() {
      return hasRead && failures.has("read ");
    },
    mark,
    run,
    read,
    /** Reads the store only if it is known to answer at once, or was never read. */
    readAtOnce(onRead: OnRead): void {
      if (store && !isSlow && !current) void read(onRead);
    },
    /** Removes the key of documented tokens once their record is written. */
    adopted: () => void held.set(DOCUMENTED, { mayHoldToken: true }),
    /** Resolves when the store has settled every call; undefined if it has. */
    idle: () => running,
    /** Returns whether the store is known to hold all of a record. */
    holds: (id: string) => !!wanted(id) && !missing(id),
    /** Returns why the store may hold a session that is not known: a failed or late read, or a string not understood. */
    readError(): SessionError | undefined {
      const isOpaque = [...held.values()].some((content) => content.isOpaque);
      return failureOf("read", "")?.error ?? (isRestored ? (isOpaque ? notUnderstood() : undefined) : late());
    },
    /**
     * Returns the content of the store for a session, as far as it is acknowledged; `pending` while the caller has not
     * waited for a call in flight.
     */
    localOf(id: string, hasWaited: boolean): "cleared" | "pending" | "failed" {
      const record = wanted(id);
      const [live, ended] = [held.get(liveKey(id)), held.get(endedKey(id))];
      if (!store) return isPending(record) ? "pending" : "cleared";
      if (current && !hasWaited && !live?.isUnknown && !ended?.isUnknown) return "pending";
      const { record: writing } = current ?? {};
      const isWriting = writing?.id === id && writing.tokens && !(writing.ending && isPending(record));
      if (live?.mayHoldToken || held.has(DOCUMENTED) || isWriting) return "failed";
      if (isPending(record)) return ended?.record && !ended.isUnknown ? "pending" : "failed";
      return ended?.mayHoldToken ? "failed" : "cleared";
    },
    /** Returns why the content of a session's keys is not as wanted. */
    errorOf(id: string): SessionError {
      const keys = [liveKey(id), endedKey(id), DOCUMENTED];
      const failure = keys.map((key) => failureOf("write", key) ?? failureOf("remove", key)).find(Boolean);
      if (failure) return failure.error;
      if (keys.some((key) => held.get(key)?.isOpaque)) return notUnderstood();
      return failureOf("read", "")?.error ?? late();
    },
  };
}
