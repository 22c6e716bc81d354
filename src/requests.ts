/**
 * The data calls of a session: sends them with its token, and aborts those in flight when it is over. What a 401
 * means for the session is decided by its owner.
 */
import { SessionError } from "./errors.ts";
import type { Config } from "./options.ts";
import type { LiveRecord } from "./record.ts";
import { createScope, type Scope } from "./scope.ts";
import { createTransport } from "./transport.ts";

type Later<T> = T | Promise<T>;

/** What the data calls ask of their session. */
export interface Owner {
  /** The session to send with, restored, and renewed where that is due. */
  current(): Later<LiveRecord | undefined>;
  /**
   * The server did not accept the token, at the first try or at the replay.
   *
   * @returns the session to replay the request with, where there is one
   */
  onRefused(record: LiveRecord, isReplay: boolean): Later<LiveRecord | undefined>;
}

export interface Requests {
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Aborts what is in flight. */
  abort(): void;
}

export function createRequests(config: Config, owner: Owner): Requests {
  const transport = createTransport(config);
  const flights = new Set<Scope>();

  const requestOf = (input: string | URL | Request, init?: RequestInit): Request => {
    if (input instanceof Request && !init) return input;
    const isRelative = typeof input === "string" && !/^[a-z][a-z\d+.-]*:/i.test(input);
    const url = isRelative ? `${config.baseUrl.replace(/\/$/, "")}/${input.replace(/^\//, "")}` : input;
    return new Request(url, init);
  };

  async function send(request: Request, flight: Scope): Promise<Response> {
    const restoring = owner.current();
    const record = restoring instanceof Promise ? await flight.wait(restoring) : restoring;
    if (!record) throw new SessionError("no-session", "call start() first");
    const attempt = (what: Request, { tokens, region }: LiveRecord) => {
      flight.check();
      return flight.wait(transport(what, { signal: flight.signal }, tokens.accessToken, region));
    };
    // A body can be sent once.
    const spare = config.renew && !/^(GET|HEAD)$/.test(request.method) ? request.clone() : request;
    const response = await attempt(request, record);
    if (response.status !== 401) return response;
    const renewing = owner.onRefused(record, false);
    // It is delivered, whatever a listener does at the end of the session.
    const next = renewing && (await flight.wait(renewing));
    if (!next) return response;
    void response.body?.cancel();
    const second = await attempt(spare, next);
    if (second.status === 401) owner.onRefused(next, true);
    return second;
  }

  return {
    abort() {
      for (const flight of flights)
        flight.abort(new SessionError("session-ended", "it may have run on the server"));
    },
    async fetch(input, init) {
      const request = requestOf(input, init);
      const { signal } = request;
      // A scope of its own: signals that are combined with one that lives on are kept as long as it lives.
      const flight = createScope();
      const leave = () => flight.abort(signal.reason ?? new SessionError("aborted"));
      // Older polyfills of React Native make requests without a signal.
      signal?.addEventListener("abort", leave);
      if (signal?.aborted) leave();
      flights.add(flight);
      let response: Response | undefined;
      try {
        response = await send(request, flight);
        return response;
      } finally {
        flights.delete(flight);
        // A caller may abort a body that streams still. React Native has none, and its requests carry the caller's
        // own signal, which may outlive them.
        if (!response?.body) signal?.removeEventListener("abort", leave);
      }
    },
  };
}
