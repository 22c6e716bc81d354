/**
 * A user's session: which entry is current, what the store holds, and what follows what. Sending is
 * left to `requests.ts`, ending to the outbox.
 */
import { bindingsOver } from "./bindings.ts";
import {
  createEntry,
  type Endpoint,
  isEntry,
  isPending,
  isRenewed,
  type SessionEntry,
  type StoredEntries,
} from "./entry.ts";
import { SessionError } from "./errors.ts";
import { createEmitter, type SessionEvent } from "./events.ts";
import type { paths } from "./generated/schema.ts";
import { checkOptions, type NewSession, type SessionOptions } from "./options.ts";
import { createOutbox } from "./outbox.ts";
import { probe } from "./probe.ts";
import { createRenewals } from "./renewal.ts";
import { createRequests } from "./requests.ts";
import type { EndOptions, FencedPaths, Session, SessionEnd, SessionState } from "./types.ts";
import { whenAborted, within } from "./within.ts";
import { createWriter, failureOf, type Write } from "./writer.ts";

/**
 * Creates the session of one user. It does no I/O and sets no timer, so it may stand at module scope.
 *
 * @typeParam Paths - the `paths` of another specification, generated with `codegen`
 * @throws SessionError `invalid-option`, naming the option
 */
export function createSession<Paths extends object = paths>(options: SessionOptions): Session<Paths> {
  const config = checkOptions(options);
  const { store, timeout, origin } = config;
  const events = createEmitter();
  const write = createWriter(({ method }, error) => {
    events.emit({ type: "store-failed", error });
    if (method === "read" && state === "restoring") become(undefined, { type: "signed-out" });
  });
  const renew = createRenewals(config, { renewed, land });
  const outbox = createOutbox(config, write, events, {
    live: () => current ?? strange,
    holds: (id) => id === held?.id,
    refresh,
    renew,
  });
  const requests = createRequests(config, { restore, refused, current: () => current });

  let state: SessionState = "restoring";
  let current: SessionEntry | undefined;
  /** How the store came to have it; undefined until it was told. */
  let kept: Pick<Write, "error"> | undefined;
  /** What the store holds, as far as this session knows: what others put there is not touched. */
  let held: SessionEntry | undefined;
  /** Counts the changes, here and of the store: a read that was begun before one says nothing of what is so now. */
  let changes = 0;
  /** Those before, by id. They never come back, whatever the store holds. */
  const gone = new Map<string, SessionEntry>();
  /** Another user's session that was found in place of ours: it lends no token. */
  let strange: SessionEntry | undefined;
  let read: Write | undefined;
  let isRead = false;
  /** The first ending that was called. Before the store is read, it also ends what that will find. */
  let early: { endpoint: Endpoint | undefined } | undefined;

  const create = (session: NewSession) => createEntry(origin, config.region, session);

  /** Whether a session that was found may be taken over: after one of ours, only one of the same, known user. */
  function isOurs({ tokens: { userId } }: SessionEntry): boolean {
    const before = [...gone.values()].at(-1);
    return !before || (!!userId && userId === before.tokens.userId);
  }

  function become(entry: SessionEntry | undefined, event: SessionEvent, by?: typeof kept): void {
    if (current && current.id !== entry?.id) gone.set(current.id, current);
    // A store that fails to clear one is not for ever.
    const [oldest = ""] = gone.keys();
    if (gone.size > 100) gone.delete(oldest);
    current = entry;
    strange = undefined;
    kept = by;
    changes++;
    state = entry ? "active" : "signed-out";
    events.emit(event);
  }

  /** Stores what is current now, in place of what this session knows to be there, or of whatever is there. */
  function keep(replaces?: "any"): Write {
    const entry = current;
    changes++;
    const written = write(
      "setCurrent",
      // By then the calls before it have been answered.
      () => store.setCurrent(entry ?? null, replaces ? undefined : (held?.id ?? "")),
      () => {
        held = entry;
      },
    );
    kept = written;
    return written;
  }

  /** Reads the store, or reads it again. Returns a promise only where it does not answer at once. */
  function refresh(): Promise<void> | undefined {
    const seen = changes;
    return events.together(() => {
      if (!read) write("subscribe", () => void store.subscribe?.(refresh));
      if (!read || isRead) {
        const from = isRead ? undefined : create;
        read = write(
          "read",
          () => store.read(from),
          // Listeners may start and end sessions: not in the middle of this.
          (found) => events.together(() => adopt(found, seen)),
        );
      }
      return read.done;
    });
  }

  function restore(): Promise<void> | undefined {
    return isRead ? undefined : refresh();
  }

  /** Takes over what the store holds, at first and when another tab or process may have changed it. */
  function adopt({ current: found, pending }: StoredEntries, seen: number): void {
    outbox.sync(pending.filter((entry) => isPending(entry, origin)));
    if (isRead && seen !== changes) return void refresh();
    const isFirst = !isRead;
    isRead = true;
    // A sign-in that the store had not been told of when it was read.
    const isNew = isFirst || !kept;
    let live = isEntry(found, origin) ? found : undefined;
    const before = held;
    held = live;
    const over = live && (outbox.find(live.id) ?? gone.get(live.id));
    if (live && over) {
      // A tab that is ending it just now clears it, and may have put another session in its place already.
      const isBusy = (over.ending?.busyUntil ?? 0) > Date.now();
      const isTheirs = !isFirst && isBusy && !outbox.isSending(live.id);
      // Interrupted between the two writes of its ending; or renewed by a tab that had not heard of it.
      if (isRenewed(live, over) && isRenewed(live, before ?? over)) outbox.late(live);
      if (current?.id === over.id) signOut("elsewhere");
      // A sign-in that is not stored yet will be, in place of it.
      if ((!current || !isNew) && !isTheirs) keep();
      live = isTheirs ? undefined : current;
    }
    if (current && isNew) {
      // Found by the sign-in that replaces it.
      if (live && live.id !== current.id) {
        gone.set(live.id, live);
        outbox.add(live);
      }
    } else if (current && kept?.error) {
      // What could not be stored lives on in memory.
    } else if (current && live?.id === current.id) {
      if (isRenewed(live, current)) become(live, { type: "renewed" }, {});
    } else {
      if (current) signOut("elsewhere");
      if (live && isFirst && early) {
        gone.set(live.id, live);
        outbox.end(live, keep, Date.now() + timeout, early.endpoint);
      } else if (live && isOurs(live)) become(live, { type: "started" }, {});
      else {
        strange = live;
        if (state === "restoring") become(undefined, { type: "signed-out" });
      }
    }
    outbox.review();
  }

  function signOut(reason: "ended" | "elsewhere"): void {
    requests.abort();
    become(undefined, { type: "signed-out", reason });
  }

  async function start(session: NewSession): Promise<void> {
    const entry = create(session);
    const reading = events.together(() => {
      if (current) outbox.add(current);
      become(entry, { type: "started" });
      requests.abort();
      const refreshing = refresh();
      // At once: a revoke that is to be asked again must not reach the new authorization.
      outbox.flush();
      return refreshing;
    });
    if (reading) {
      // Behind the read: what it finds is written down before it is overwritten.
      await within(timeout, reading);
      outbox.flush();
    }
    if (current === entry) await within(timeout, keep("any").done);
  }

  /** The same entry with other tokens, where this tab or another has renewed it. */
  async function renewed(entry: SessionEntry): Promise<SessionEntry | undefined> {
    await within(timeout, refresh());
    return [current, outbox.find(entry.id)].find((one) => one?.id === entry.id && isRenewed(one, entry));
  }

  async function land(entry: SessionEntry, next: SessionEntry | null): Promise<void> {
    // It may have been ended elsewhere meanwhile.
    await within(timeout, refresh());
    if (entry !== current) {
      if (next) outbox.late(next, entry);
    } else if (next) {
      become(next, { type: "renewed" });
      keep();
    } else {
      expire();
    }
  }

  function expire(): void {
    events.together(() => {
      // What is in flight still has an answer of its own coming.
      become(undefined, { type: "signed-out", reason: "unauthorized" });
      keep();
    });
  }

  function refused(entry: SessionEntry, isReplay: boolean): Promise<SessionEntry | undefined> | undefined {
    // The same session with other tokens; not another one of the same user.
    const next = () => (current !== entry && current?.id === entry.id ? current : undefined);
    // Another tab may have renewed it again.
    if (isReplay) refresh();
    if (entry !== current) return Promise.resolve(next());
    const renewal = isReplay ? undefined : renew(entry);
    // Without a renewal, or with one that was of no use. One that comes to nothing changes nothing.
    if (!renewal) expire();
    return renewal?.then(next);
  }

  function finish(named?: Endpoint, { signal }: EndOptions = {}): Promise<SessionEnd> {
    const endsAt = Date.now() + timeout;
    return events.together(() => {
      const entry = current;
      early ??= { endpoint: named };
      // What the store holds is not cleared before it is known, and written down as pending.
      const clear = isRead || kept ? keep : () => ({ method: "setCurrent" as const });
      if (entry || state === "restoring") signOut("ended");
      if (entry) return outbox.end(entry, clear, endsAt, named, signal);
      return rest(named ?? "logout", restore(), endsAt, signal);
    });
  }

  /** What an ending resolves to when nothing was current: it goes by what waits, or is found by then. */
  async function rest(
    endpoint: Endpoint,
    reading: Promise<void> | undefined,
    endsAt: number,
    signal?: AbortSignal,
  ) {
    if (reading) await within(timeout, signal ? Promise.race([reading, whenAborted(signal)]) : reading);
    const error = signal?.aborted ? new SessionError("aborted") : undefined;
    const open: SessionEnd = { endpoint, server: "unconfirmed", local: "pending", ...(error && { error }) };
    if (outbox.size === 0) {
      const storeError = read && failureOf(read);
      if (storeError) return { ...open, local: "failed" as const, storeError };
      return { endpoint, server: "no-session" as const, local: "cleared" as const };
    }
    if (error) return open;
    // It may join what was sent before it was called, with a later deadline.
    const left = endsAt - Date.now();
    const ends = left > 0 ? await within(left, outbox.flush(endsAt, signal)) : undefined;
    if (!ends) return { ...open, error: new SessionError("timeout", `${timeout} ms`) };
    // What is still in the outbox then is unconfirmed, or being sent by another tab or process.
    return (
      ends.find(({ server }) => server === "unconfirmed") ?? (outbox.size === 0 ? ends.at(-1) : open) ?? open
    );
  }

  async function flush(): Promise<SessionEnd[]> {
    const isFirst = !isRead;
    const reading = refresh();
    // No wait without need: in between, another tab may begin to send the same.
    if (reading) await (isFirst ? reading : within(timeout, reading));
    return outbox.flush();
  }

  return {
    get state() {
      return state;
    },
    get pending() {
      return outbox.size;
    },
    client: bindingsOver<Omit<Paths, FencedPaths>>(config.baseUrl, requests.fetch),
    ready: async () => {
      await flush();
    },
    start,
    fetch: requests.fetch,
    subscribe: events.subscribe,
    logout: (options) => finish("logout", options),
    revoke: (options) => finish("revoke", options),
    end: (options) => finish(undefined, options),
    flush,
    probe: (target) => probe(config, target),
  };
}
