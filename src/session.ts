/**
 * A user's session: which entry is current, what the store held, and what follows what. Sending is
 * left to `requests.ts`, ending to the outbox.
 */
import { bindingsOver } from "./bindings.ts";
import {
  createEntry,
  type Endpoint,
  isEntry,
  isPending,
  type SessionEntry,
  type StoredEntries,
  toPending,
} from "./entry.ts";
import { SessionError } from "./errors.ts";
import { createEmitter, type SessionEvent } from "./events.ts";
import type { paths } from "./generated/schema.ts";
import { checkOptions, type NewSession, type SessionOptions } from "./options.ts";
import { createOutbox, type SessionEnd } from "./outbox.ts";
import { probe } from "./probe.ts";
import { createRequests } from "./requests.ts";
import type { EndOptions, FencedPaths, Session, SessionState } from "./types.ts";
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
  const write = createWriter((error) => {
    events.emit({ type: "store-failed", error });
    if (state === "restoring") become(undefined, { type: "signed-out" });
  });
  const outbox = createOutbox(config, write, events, () => current);
  const requests = createRequests(config, { restore, refused, current: () => current });

  let state: SessionState = "restoring";
  let current: SessionEntry | undefined;
  let read: Write | undefined;
  /** The first ending that was called. Before the store is read, it also ends what that will find. */
  let early: { endpoint: Endpoint | undefined; endsAt: number } | undefined;

  const create = (session: NewSession) => createEntry(origin, config.region, session);
  const keep = (entry: SessionEntry | null) => write("setCurrent", () => store.setCurrent(entry));

  function become(entry: SessionEntry | undefined, event: SessionEvent): void {
    current = entry;
    state = entry ? "active" : "signed-out";
    events.emit(event);
  }

  /** Reads the store, once. Returns a promise only where the store does not answer at once. */
  function restore(): Promise<void> | undefined {
    events.together(() => {
      read ??= write("read", () => store.read(create), adopt);
    });
    return read?.done;
  }

  /** Takes over what the store holds. All that was called meanwhile comes after it. */
  function adopt({ current: found, pending }: StoredEntries): void {
    const waiting = pending.filter((entry) => isPending(entry, origin));
    outbox.adopt(waiting);
    const isEnding = waiting.some(({ id }) => id === found?.id);
    // Interrupted between the two writes of its ending.
    if (isEnding && !current) keep(null);
    if (isEnding || !isEntry(found, origin)) {
      if (state === "restoring") become(undefined, { type: "signed-out" });
    } else if (current) {
      outbox.adopt([toPending(found, 0)]);
    } else if (early) {
      const now = Date.now();
      outbox.end(toPending(found, early.endsAt > now ? early.endsAt : now + timeout, early.endpoint));
    } else {
      become(found, { type: "started" });
    }
  }

  async function start(session: NewSession): Promise<void> {
    const entry = create(session);
    const reading = events.together(() => {
      if (current) outbox.adopt([toPending(current, 0)]);
      become(entry, { type: "started" });
      requests.abort();
      const restoring = restore();
      // At once: a revoke that is to be asked again must not reach the new authorization.
      outbox.flush();
      return restoring;
    });
    if (reading) {
      // Behind the read: what it finds is written down before it is overwritten.
      await within(timeout, reading);
      outbox.flush();
    }
    if (current === entry) await within(timeout, keep(entry).done);
  }

  function refused(entry: SessionEntry): void {
    if (entry !== current) return;
    events.together(() => {
      // What is in flight still has an answer of its own coming.
      become(undefined, { type: "signed-out", reason: "unauthorized" });
      keep(null);
    });
  }

  function finish(named?: Endpoint, { signal }: EndOptions = {}): Promise<SessionEnd> {
    const endsAt = Date.now() + timeout;
    return events.together(() => {
      const entry = current;
      early ??= { endpoint: named, endsAt };
      if (entry || state === "restoring") become(undefined, { type: "signed-out", reason: "ended" });
      requests.abort();
      if (entry) return outbox.end(toPending(entry, endsAt, named), signal);
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
    await restore();
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
