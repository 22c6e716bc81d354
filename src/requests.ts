/**
 * The data calls of a session: sends them with the current entry's token, and aborts those in flight
 * when that entry is over. What a 401 means for the session is decided by its owner.
 */
import type { SessionEntry } from "./entry.ts";
import { SessionError } from "./errors.ts";
import type { Config } from "./options.ts";
import { createTransport } from "./transport.ts";
import { whenAborted } from "./within.ts";

/** What the data calls ask of their session. */
export interface Owner {
  /** Reads the store where that was not done; a promise only where it does not answer at once. */
  restore(): Promise<void> | undefined;
  /** The entry to send with. */
  current(): SessionEntry | undefined;
  /**
   * The server did not accept the token of this entry, at the first try or at the replay.
   *
   * @returns the entry to replay the request with, where there may be one
   */
  refused(entry: SessionEntry, isReplay: boolean): Promise<SessionEntry | undefined> | undefined;
}

export interface Requests {
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Aborts what is in flight. */
  abort(): void;
}

export function createRequests(config: Config, owner: Owner): Requests {
  const transport = createTransport(config);
  const flights = new Set<AbortController>();
  return {
    abort() {
      for (const flight of flights) flight.abort();
    },
    async fetch(input, init) {
      const request = input instanceof Request && !init ? input : new Request(input, init);
      const { signal } = request;
      // Of its own: signals that are combined with one that lives on are kept as long as it lives.
      const flight = new AbortController();
      const aborted = whenAborted(flight.signal);
      const leave = () => flight.abort(signal.reason);
      // Older polyfills of React Native make requests without a signal.
      signal?.addEventListener("abort", leave);
      if (signal?.aborted) leave();
      flights.add(flight);
      let response: Response | undefined;
      try {
        const reading = owner.restore();
        // No wait without need: what is called for one session must not go out for the next.
        if (reading) await Promise.race([reading, aborted]);
        const entry = owner.current();
        if (!entry || flight.signal.aborted) throw new SessionError("no-session", "call start() first");
        const send = ({ tokens, region }: SessionEntry, what: Request) =>
          Promise.race([transport(what, tokens.accessToken, region, flight.signal), aborted]);
        // A body can be sent once.
        const spare = config.renew && !/^(GET|HEAD)$/.test(request.method) ? request.clone() : request;
        response = await send(entry, request);
        if (response?.status === 401 && !flight.signal.aborted) {
          const renewing = owner.refused(entry, false);
          if (!renewing) return response;
          const next = await Promise.race([renewing, aborted]);
          if (next && !flight.signal.aborted) {
            void response.body?.cancel();
            response = await send(next, spare);
            if (response?.status === 401 && !flight.signal.aborted) {
              owner.refused(next, true);
              return response;
            }
          }
        }
        if (response && !flight.signal.aborted) return response;
      } catch (error) {
        if (!flight.signal.aborted) throw error;
      } finally {
        flights.delete(flight);
        // A caller may abort a body that streams still. React Native has none, and its requests carry
        // the caller's own signal, which may outlive them.
        if (!response?.body) signal?.removeEventListener("abort", leave);
      }
      throw signal?.aborted
        ? (signal.reason ?? new SessionError("aborted"))
        : new SessionError("session-ended");
    },
  };
}
