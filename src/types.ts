/** The public shape of a session: what each call promises. How it is kept is up to `session.ts`. */
import type { Client } from "openapi-fetch";
import type { SessionError } from "./errors.ts";
import type { SessionListener } from "./events.ts";
import type { paths } from "./generated/schema.ts";
import type { NewSession } from "./options.ts";
import type { ProbeTarget } from "./probe.ts";
import type { Endpoint } from "./record.ts";

/** Paths that begin or end a session: through them the fence could be walked around by accident. */
export type FencedPaths =
  | "/v1/auth/login"
  | "/v1/auth/login/otp"
  | "/v1/auth/logout"
  | "/v1/auth/oauth/revoke";

/** `restoring` until the store was read for the first time. */
export type SessionState = "restoring" | "active" | "signed-out";

/** What is true after an ending: two facts that do not depend on each other. */
export interface SessionEnd {
  /** Which endpoint was asked, or would have been. */
  endpoint: Endpoint;
  /**
   * The server's side. `confirmed`: it said so. `already-invalid`: this environment does not accept
   * the token. `unconfirmed`: see `error`; the token may be alive. `superseded`: given up, since it
   * would have ended a newer sign-in. `expired`: the access token outlived its six hours, which says
   * nothing of a refresh token. `no-session`: there was nothing to end.
   */
  server: "confirmed" | "already-invalid" | "unconfirmed" | "superseded" | "expired" | "no-session";
  /**
   * The device's side. `cleared`: nothing of it is left. `pending`: it is kept only to be ended, by
   * `flush()`. `failed`: it may still be read back, see `storeError`.
   */
  local: "cleared" | "pending" | "failed";
  /** Why the server's side is unconfirmed. */
  error?: SessionError;
  /** What the store failed at. */
  storeError?: SessionError;
}

/** Options of an ending. */
export interface EndOptions {
  /** Detaches this caller; the request itself is aborted when every caller of it has left. */
  signal?: AbortSignal | undefined;
}

/** A user's session. One object is one user: on a server, never a singleton of the module. */
export interface Session<Paths extends object = paths> {
  /** Changes before any `await`; the screen never waits for the server. */
  readonly state: SessionState;
  /** How many endings are pending: not confirmed, and to be asked again. */
  readonly pending: number;
  /**
   * The typed client of the API: `session.client.GET("/v1/user")`, with no key and no token to pass.
   * Test `response.ok`, not `error`: an error with an empty body leaves `error` undefined.
   */
  readonly client: Client<Omit<Paths, FencedPaths>>;
  /**
   * Reads the store, when no other call has done so, and tries the pending endings again. Resolves
   * when both are over, the second at the latest after `timeout`; what the store failed at is an
   * event. A screen that should not wait for the endings goes by `state` and `subscribe`.
   */
  ready(): Promise<void>;
  /**
   * Makes these tokens the session and stores them. A login session that was active is ended on the
   * server; an OAuth session of the same user is replaced, and pending revocations of it are given
   * up as `superseded`, since they would end the new one. Resolves when the store has answered, at
   * the latest after `timeout`: a store that fails is an event, and the session lives in memory.
   *
   * @throws SessionError `invalid-option` when a token, the grant or the region is none
   */
  start(session: NewSession): Promise<void>;
  /**
   * Is shaped like `fetch`: adds the credentials, to the configured origin only, and follows no
   * redirect. A response that is at hand is delivered whole, also when the session ends meanwhile; an
   * error is at hand once its body is there, of which 64 KiB are read.
   * A 401 is renewed and the request replayed, once, where there are `renew` and a refresh token; one
   * that comes all the same means that the session is over, unless nothing is known of the renewal.
   *
   * @throws SessionError `no-session` when there is none; `session-ended` when it ended while the
   * request was in flight (a mutation may have run); `wrong-origin`; `invalid-option` when `renew` resolved to no tokens; or
   * what `fetch` throws
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Adds a listener, called synchronously after each change. Returns what removes it. */
  subscribe(listener: SessionListener): () => void;
  /**
   * Signs the user out and asks `POST /v1/auth/logout` to invalidate the access token, within
   * `timeout`. Calls made together share one request and its result. With no session but endings
   * pending, tries those again and resolves to the first that is still unconfirmed.
   *
   * @returns what is true now; it does not reject for what network, server or store did
   * @see {@link https://docs.baanx.com | Logout User}
   */
  logout(options?: EndOptions): Promise<SessionEnd>;
  /**
   * Signs the user out and asks `DELETE /v1/auth/oauth/revoke` to invalidate every token of this
   * OAuth client (RFC 7009 is its model, not its form). With an expired access token, `renew` and a
   * refresh token it renews once and asks again. Otherwise like {@link Session.logout}.
   */
  revoke(options?: EndOptions): Promise<SessionEnd>;
  /** `revoke` for a session of grant `oauth`, `logout` for one of grant `login`. */
  end(options?: EndOptions): Promise<SessionEnd>;
  /** Tries the pending endings again, but for those that another tab or process may be sending. */
  flush(): Promise<SessionEnd[]>;
  /**
   * Asks `GET /v1/user`, once, whether a token is accepted. Touches no session.
   *
   * @throws SessionError when the answer is neither, or none within `timeout`: inconclusive
   */
  probe(target: ProbeTarget): Promise<"active" | "invalid">;
  /**
   * Lets go of every listener: of `subscribe`, of the store, of the browser. Nothing is ended by it; also called by
   * `using`.
   */
  close(): void;
  /** The same as {@link Session.close}. */
  [Symbol.dispose](): void;
}
