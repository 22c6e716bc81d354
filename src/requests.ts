/**
 * The data calls of a session: sends them with its token, and renews it when that is due or refused.
 */
import type { Client } from "openapi-fetch";
import { bindingsOver } from "./bindings.ts";
import { createDeadline, type Deadline } from "./deadline.ts";
import { SessionError } from "./errors.ts";
import type { Config } from "./options.ts";
import { asOver, type LiveRecord, type SessionRecord } from "./record.ts";
import type { Renewals } from "./renewal.ts";
import type { State } from "./state.ts";
import { Call, refusesToken, type Transport } from "./transport.ts";

/** Paths that begin or end a session, and the call to use instead. */
const fencedPaths: Record<string, string> = {
  "/v1/auth/login": "createBindings() and start()",
  "/v1/auth/login/otp": "createBindings()",
  "/v1/auth/logout": "end() or logout()",
  "/v1/auth/oauth/revoke": "end() or revoke()",
};

/** One with tokens that another tab has renewed, and one with tokens renewed here. */
const MOST_REPLAYS = 2;

/** Servers route a path without regard to case, double slashes and a slash at its end. */
function checkPath(url: string, { origin, baseUrl }: Config): void {
  let path = url.slice((url.startsWith(`${baseUrl}/`) ? baseUrl : origin).length).replace(/[?#].*/s, "");
  try {
    path = decodeURIComponent(path);
  } catch {}
  const instead = fencedPaths[path.replace(/\/+/g, "/").replace(/\/$/, "").toLowerCase()];
  if (instead) throw new SessionError("fenced-path", `${path} begins or ends a session: use ${instead}`);
}

export function createRequests<Paths extends object>(
  config: Config,
  transport: Transport,
  state: State,
  renewals: Renewals,
  flights: Set<Deadline>,
) {
  /** Returns the session to send with, restored, and renewed if that is due. */
  function current(): LiveRecord | Promise<LiveRecord> {
    const restoring = state.restore();
    if (restoring && !state.showing()) return restoring.then(current);
    const record = state.showing();
    if (!record) throw noSession();
    const isDue = (record.tokens.renewAt ?? Number.POSITIVE_INFINITY) <= Date.now();
    const renewal = isDue ? renewals.renew(record, false) : undefined;
    if (!renewal) return record;
    return renewal.then(() => {
      const now = state.showing();
      if (!now) throw noSession();
      return now;
    });
  }

  function noSession(): SessionError {
    const { newest } = state.ledger;
    const error = state.sync.readError();
    if (error && !newest) return error;
    const ending = newest?.ending;
    const when = ending ? `, the session ended at ${new Date(ending.since).toISOString()}` : "";
    return new SessionError("no-session", `nobody is signed in${when}: call start() after a login`);
  }

  /** Handles a 401; returns the session to replay the call with. A call renews once; tokens of other tabs do not count. */
  async function refused(record: LiveRecord, left: { renewals: number }): Promise<LiveRecord | undefined> {
    // The same session with other tokens; not another one of the same user.
    const next = () => {
      const now = state.showing();
      return now?.id === record.id && now.generation > record.generation ? now : undefined;
    };
    // Another tab may have renewed it, or ended it.
    state.readAtOnce();
    const now = state.showing();
    if (now?.id !== record.id || now.generation !== record.generation) return next();
    const renewal = left.renewals > 0 ? renewals.renew(record, true) : undefined;
    if (renewal) {
      if (renewals.isOwn(await renewal)) left.renewals--;
      return next();
    }
    // An expired access token says nothing about the refresh token.
    const outcome = record.grant === "oauth" ? "unconfirmed" : "already-invalid";
    state.forget(record.id);
    state.commit([asOver(record as SessionRecord, Date.now(), outcome)], "unauthorized");
    return undefined;
  }

  async function send(input: Request | Call, flight: Deadline): Promise<Response> {
    checkPath(input.url, config);
    const restored = current();
    const record = restored instanceof Promise ? await flight.race(restored) : restored;
    const attempt = (what: Request | Call, { tokens, region }: LiveRecord) => {
      flight.throwIfAborted();
      const signal = flight.signal();
      const sent =
        what instanceof Call
          ? transport(what.url, { ...what.init, signal }, tokens.accessToken, region)
          : transport(what, { signal }, tokens.accessToken, region);
      return flight.race(sent);
    };
    // A body of a Request can be sent once.
    const isCopied = config.renew && !/^(GET|HEAD)$/.test(input.method ?? "GET");
    const left = { renewals: 1 };
    let [what, session] = [input, record];
    for (let replays = 0; ; replays++) {
      const spare = isCopied && !(what instanceof Call) && replays < MOST_REPLAYS ? what.clone() : what;
      const response = await attempt(what, session);
      if (!refusesToken(response)) return response;
      const next = await flight.race(refused(session, left));
      if (!next || replays === MOST_REPLAYS) return response;
      void response.body?.cancel();
      [what, session] = [spare, next];
    }
  }

  async function tracked(input: Request | Call, signal: AbortSignal | null | undefined): Promise<Response> {
    // A deadline of its own: signals that are combined with a long-lived one are kept as long as that lives.
    const flight = createDeadline();
    const leave = () => flight.abort(signal?.reason ?? new SessionError("aborted", "by the caller's signal"));
    // Older polyfills of React Native make requests without a signal.
    signal?.addEventListener("abort", leave);
    if (signal?.aborted) leave();
    flights.add(flight);
    let response: Response | undefined;
    try {
      response = await send(input, flight);
      return response;
    } finally {
      flights.delete(flight);
      // A caller may abort a body that is still streaming. React Native lacks body streams, and its requests carry the
      // caller's own signal, which may outlive them.
      if (!response?.body) signal?.removeEventListener("abort", leave);
    }
  }

  function requestOf(input: string | URL | Request, init?: RequestInit): Request {
    if (input instanceof Request && !init) return input;
    const isRelative = typeof input === "string" && !/^[a-z][a-z\d+.-]*:/i.test(input);
    return new Request(isRelative ? `${config.baseUrl}/${input.replace(/^\//, "")}` : input, init);
  }

  return {
    async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
      const request = requestOf(input, init);
      return tracked(request, request.signal);
    },
    client: lightClient<Paths>(config.baseUrl, (input) =>
      input instanceof Call ? tracked(input, input.init.signal) : tracked(input, input.signal),
    ),
  };
}

const METHODS = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"] as const;

/**
 * Creates an openapi-fetch client that hands a light call object to `fetch`, and a real Request only where other code
 * sees it (middleware, or a fetch of one call) or its body is a stream.
 */
function lightClient<Paths extends object>(
  baseUrl: string,
  fetch: (input: Request | Call) => Promise<Response>,
): Client<Paths> {
  class LightRequest {
    constructor(url: string, init: RequestInit) {
      const isStream = typeof (init.body as ReadableStream | undefined)?.getReader === "function";
      // biome-ignore lint/correctness/noConstructorReturn: openapi-fetch calls the class, and uses the object that it returns.
      return isStream ? new Request(url, { ...init, duplex: "half" } as RequestInit) : new Call(url, init);
    }
  }
  const client = bindingsOver<Paths>(baseUrl, fetch, { Request: LightRequest as never });
  let hasMiddleware = false;
  type Init = { fetch?: unknown; middleware?: unknown } | undefined;
  type Send = (path: string, init?: Init) => unknown;
  const light = client as unknown as Record<string, Send> & {
    request: (method: string, ...call: unknown[]) => unknown;
  };
  const initFor = (init: Init) =>
    hasMiddleware || init?.fetch || init?.middleware ? { ...init, Request: globalThis.Request } : init;
  for (const method of METHODS) {
    const send = light[method] as Send;
    light[method] = (path, init) => send(path, initFor(init));
  }
  const { request } = light;
  light.request = (method, path, init) => request(method, path, initFor(init as Init));
  const { use } = client;
  client.use = (...middleware) => {
    hasMiddleware = true;
    use(...middleware);
  };
  return client;
}
