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
import { createEmitter, type SessionEvent } from "./events.ts";
import type { paths } from "./generated/schema.ts";
import { checkOptions, type NewSession, type SessionOptions } from "./options.ts";
import { createOutbox, type SessionEnd } from "./outbox.ts";
import { probe } from "./probe.ts";
import { createRequests } from "./requests.ts";
import type { EndOptions, FencedPaths, Session, SessionState } from "./types.ts";
import { within } from "./within.ts";
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
  /** The first ending that was called: before the store is read, it ends what that will find. */
  let early: { endpoint: Endpoint | undefined; endsAt: number; signal: AbortSignal | undefined } | undefined;

  const create = (session: NewSession) => createEntry(origin, config.region, session);
  const keep = (entry: SessionEntry | null) => write("setCurrent", () => store.setCurrent(entry));

  function become(entry: SessionEntry | undefined, event: SessionEvent): void {
    // Those that a 401 leaves in flight have answers of their own coming.
    if (entry?.id !== current?.id && event.reason !== "unauthorized") requests.abort();
    current = entry;
    state = entry ? "active" : "signed-out";
    events.emit(event);
  }

  /** Reads the store, once. Returns a promise only where the store does not answer at once. */
  function restore(): Promise<void> | undefined {
    read ??= events.together(() => write("read", () => store.read(create), adopt));
    return read.done;
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
      outbox.end(toPending(found, early.endsAt, early.endpoint), early.signal);
    } else {
      become(found, { type: "started" });
    }
  }

  async function start(session: NewSession): Promise<void> {
    const entry = create(session);
    if (current) outbox.adopt([toPending(current, 0)]);
    become(entry, { type: "started" });
    const reading = restore();
    // Behind the read: what it finds, and what was current, is written down before it is overwritten.
    if (reading) await reading;
    outbox.flush();
    if (current === entry) await keep(entry).done;
  }

  function refused(entry: SessionEntry): void {
    if (entry !== current) return;
    become(undefined, { type: "signed-out", reason: "unauthorized" });
    keep(null);
  }

  async function finish(named?: Endpoint, { signal }: EndOptions = {}): Promise<SessionEnd> {
    const endsAt = Date.now() + timeout;
    const entry = current;
    early ??= { endpoint: named, endsAt, signal };
    const under = events.together(
      (): { ended?: Promise<SessionEnd>; reading?: Promise<void> | undefined } => {
        if (entry || state === "restoring") become(undefined, { type: "signed-out", reason: "ended" });
        return entry
          ? { ended: outbox.end(toPending(entry, endsAt, named), signal) }
          : { reading: restore() };
      },
    );
    if (under.ended) return under.ended;
    if (under.reading) await within(timeout, under.reading);
    const endpoint = named ?? "logout";
    const storeError = read && failureOf(read);
    if (storeError) return { endpoint, server: "unconfirmed", local: "failed", storeError };
    if (outbox.size === 0) return { endpoint, server: "no-session", local: "cleared" };
    const ends = await outbox.flush(endsAt, signal);
    // There is none where another tab or process is sending them.
    const elsewhere: SessionEnd = { endpoint, server: "unconfirmed", local: "pending" };
    return ends.find(({ server }) => server === "unconfirmed") ?? ends.at(-1) ?? elsewhere;
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
