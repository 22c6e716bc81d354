/**
 * The data calls of a session: sends them with the current entry's token, and aborts those in flight
 * when that entry is over. What a 401 means for the session is decided by its owner.
 */
import type { SessionEntry } from "./entry.ts";
import { SessionError } from "./errors.ts";
import type { Config } from "./options.ts";
import { createTransport } from "./transport.ts";

/** What the data calls ask of their session. */
export interface Owner {
  /** Reads the store where that was not done; a promise only where it does not answer at once. */
  restore(): Promise<void> | undefined;
  /** The entry to send with. */
  current(): SessionEntry | undefined;
  /** The server did not accept the token of this entry. */
  refused(entry: SessionEntry): void;
}

export interface Requests {
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Aborts what is in flight. */
  abort(): void;
}

export function createRequests(config: Config, owner: Owner): Requests {
  const transport = createTransport(config);
  const flights = new Set<(reason: unknown) => void>();

  async function send(
    request: Request,
    stop: (reason: unknown) => void,
    signal: AbortSignal,
  ): Promise<Response> {
    const reading = owner.restore();
    if (reading) await reading;
    const entry = owner.current();
    if (!entry) throw new SessionError("no-session", "call start() first");
    flights.add(stop);
    try {
      const response = await transport(request, entry.tokens.accessToken, entry.region, signal);
      if (response.status === 401) owner.refused(entry);
      return response;
    } finally {
      flights.delete(stop);
    }
  }

  return {
    abort() {
      for (const stop of flights) stop(new SessionError("session-ended"));
    },
    fetch: (input, init) =>
      new Promise((resolve, reject) => {
        const request = input instanceof Request && !init ? input : new Request(input, init);
        const { signal } = request;
        // Of its own: signals that are combined with one that lives on are kept as long as it lives.
        const controller = new AbortController();
        const stop = (reason: unknown) => {
          reject(reason);
          controller.abort(reason);
        };
        const leave = () => stop(signal.reason ?? new SessionError("aborted"));
        if (signal.aborted) return leave();
        signal.addEventListener("abort", leave);
        send(request, stop, controller.signal)
          .then((response) => {
            // A caller may abort a body that streams still. React Native has none, and its requests
            // carry the caller's own signal, which may outlive them.
            if (!response.body) signal.removeEventListener("abort", leave);
            resolve(response);
          })
          .catch(reject);
      }),
  };
}
