/** The public shape of a session: what each call promises. */
import type { Client } from "openapi-fetch";
import type { SessionError } from "./errors.ts";
import type { SessionListener } from "./events.ts";
import type { paths } from "./generated/schema.ts";
import type { NewSession } from "./options.ts";
import type { Endpoint, Grant, Region } from "./record.ts";

/** Paths that begin or end a session: a data call must not do either by accident. */
export type FencedPaths =
  | "/v1/auth/login"
  | "/v1/auth/login/otp"
  | "/v1/auth/logout"
  | "/v1/auth/oauth/revoke";

/** `restoring` until the store was read for the first time. */
export type SessionState = "restoring" | "active" | "signed-out";

/** The current session, without its tokens. */
export interface CurrentSession {
  /** Given at `start()` and kept by renewals. */
  readonly id: string;
  readonly userId: string | undefined;
  readonly grant: Grant;
  readonly region: Region;
  /** In ms since the epoch. */
  readonly startedAt: number;
}

/** The result of `start()`. */
export interface SessionStart {
  /** `stored`: the store acknowledged it. `memory`: the session is without a store. `failed`: a reload may lose it, see `storeError`. */
  local: "stored" | "memory" | "failed";
  /** The failure of the store. */
  storeError?: SessionError;
}

/** The result of an ending: two facts that do not depend on each other. */
export interface SessionEnd {
  /** The endpoint that is stored in the record: the one that was asked, or would have been. */
  endpoint: Endpoint;
  /**
   * The server's side. `confirmed`: it answered 200 with `{"success": true}`. `already-invalid`: it was asked with this
   * token and refused it. `unconfirmed`: see `error`; the token may be alive. `superseded`: not sent, since it would have
   * ended a newer sign-in. `expired`: the server answered without a confirmation, and the ending is older than six hours,
   * the lifetime of an access token. `no-session`: there was nothing to end.
   */
  server: "confirmed" | "already-invalid" | "unconfirmed" | "superseded" | "expired" | "no-session";
  /**
   * The device's side. `cleared`: no token of it can be read back from the store. `pending`: it is kept only to be ended,
   * by `flush()`. `failed`: it may still be read back, see `storeError`.
   */
  local: "cleared" | "pending" | "failed";
  /** The session had a refresh token, and nothing confirmed that it was revoked. */
  refreshToken?: "may-be-valid";
  /** Why the server's side is unconfirmed. */
  error?: SessionError;
  /** Why the device's side failed. */
  storeError?: SessionError;
}

/** Options of an ending. */
export interface EndOptions {
  /**
   * Of a session: stops this caller from waiting, with the error `aborted`; the request goes on. Of `endSession` and
   * `probe`: aborts the request.
   */
  signal?: AbortSignal | undefined;
}

/** A user's session. One object is one user: on a server, never a singleton of the module. */
export interface Session<Paths extends object = paths> {
  /** Changes before any `await`; the screen never waits for the server. */
  readonly state: SessionState;
  /** The session that is active; the same object until it changes. */
  readonly current: CurrentSession | undefined;
  /** Number of endings that the server has not confirmed yet, to be retried by `flush()`. */
  readonly pending: number;
  /**
   * The typed client of the API: `session.client.GET("/v1/user")`, with no key and no token to pass.
   * Test `response.ok`, not `error`: an error with an empty body leaves `error` undefined.
   */
  readonly client: Client<Omit<Paths, FencedPaths>>;
  /**
   * Restores the session from the store, and retries the pending endings. Resolves when both are done, at the latest
   * after `timeout`; a failure of the store is an event. A screen that should not wait for the endings uses `state` and
   * `subscribe`.
   */
  ready(): Promise<void>;
  /**
   * Makes these tokens the session and stores them. An active login session is ended on the server; an OAuth session of
   * the same user is replaced, and its pending revokes are `superseded`, since they would end the new one.
   *
   * @returns whether the store has it, at the latest after `timeout`
   * @throws SessionError `invalid-option` if a token, the grant or the region is not valid
   */
  start(session: NewSession): Promise<SessionStart>;
  /**
   * Shaped like `fetch`: adds the credentials, to the configured origin only, and follows no redirect. Of an error body,
   * 64 KiB are read. After a 401 it renews and replays the request, once, if there are `renew` and a refresh token; a 401
   * that remains means that the session is over, unless nothing is known about the renewal.
   *
   * @throws SessionError `no-session` without one, `store-failed` if the store cannot be read; `session-ended` if it
   * ended while the request was in flight (a mutation may have run); `wrong-origin`; `fenced-path` for a path that begins
   * or ends a session; `invalid-option` if `renew` resolved to something else than tokens; or the error of `fetch`
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Adds a listener, called synchronously after each change. Returns the function that removes it. */
  subscribe(listener: SessionListener): () => void;
  /**
   * Signs the user out and ends the session on the server, within `timeout`: by `revoke` for grant `oauth`, by `logout`
   * for grant `login`. Concurrent calls share one request and its result. Without a session but with pending endings, it
   * retries those and resolves to the first that is still unconfirmed.
   *
   * @returns the result, as far as it is known; it does not reject because of the network, the server or the store
   * @see {@link https://docs.baanx.com | Logout User}
   */
  end(options?: EndOptions): Promise<SessionEnd>;
  /** Like {@link Session.end}, always by `POST /v1/auth/logout`, which leaves a refresh token alive as far as is known. */
  logout(options?: EndOptions): Promise<SessionEnd>;
  /**
   * Like {@link Session.end}, always by `DELETE /v1/auth/oauth/revoke` (RFC 7009 is its model, not its form): for OAuth
   * sessions. If the access token has expired, it renews once and asks again.
   */
  revoke(options?: EndOptions): Promise<SessionEnd>;
  /** Retries the pending endings, except those in flight in another tab or process. */
  flush(): Promise<SessionEnd[]>;
  /** Unsubscribes from everything and removes every listener. It ends nothing, and is final; also called by `using`. */
  close(): void;
  /** The same as {@link Session.close}. */
  [Symbol.dispose](): void;
}
