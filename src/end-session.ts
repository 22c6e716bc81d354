/** The end of one access token, without a session object: for a server, a job, the command line. */
import { ask, type Settled } from "./ask.ts";
import type { SessionError } from "./errors.ts";
import { check, checkOptions, type SessionOptions } from "./options.ts";
import { type Endpoint, endpointOf, type Grant, type Region } from "./record.ts";
import { createScope } from "./scope.ts";
import type { EndOptions } from "./types.ts";

/** The options of {@link endSession}: those of a session that concern the server. */
export type EndSessionOptions = Pick<
  SessionOptions,
  "baseUrl" | "clientKey" | "region" | "fetch" | "timeout" | "retries"
>;

/** The token to end. */
export interface EndTarget {
  /** The bearer token, of characters 0x21 to 0x7E. */
  accessToken: string;
  /** `login` asks for a logout, `oauth` for a revoke. */
  grant: Grant;
  /** The region that the token belongs to. Default: that of the options. */
  region?: Region | undefined;
}

/** What the server said. */
export interface ServerEnd {
  /** Which endpoint was asked. */
  endpoint: Endpoint;
  /**
   * `confirmed`: the server said that the token has ended. `already-invalid`: this environment does not accept the
   * token. `unconfirmed`: see `error`; the token may be alive.
   */
  server: Settled | "unconfirmed";
  /** Why it is unconfirmed. */
  error?: SessionError;
}

/**
 * Ends one access token on the server: by `POST /v1/auth/logout`, or with all tokens of its OAuth client by
 * `DELETE /v1/auth/oauth/revoke`. It keeps and clears nothing; an ending that is unconfirmed is the caller's to repeat.
 *
 * @param options - where and how; `timeout` (ms, default 5000) and `retries` (default 2) as for a session
 * @param target - the token
 * @param caller - its `signal` aborts the request; the result is then `unconfirmed`, with the error `aborted`
 * @returns what the server said; it does not reject for what network or server did
 * @throws SessionError `invalid-option`, naming the option
 * @see {@link https://docs.baanx.com | Logout User}
 */
export async function endSession(
  options: EndSessionOptions,
  { accessToken, grant, region }: EndTarget,
  { signal }: EndOptions = {},
): Promise<ServerEnd> {
  const config = checkOptions(options);
  const target = { accessToken, region: region ?? config.region };
  check({ ...target, grant });
  const endpoint = endpointOf(grant);
  const scope = createScope(config.timeout, signal);
  const patience = { retries: config.retries, endsAt: Date.now() + config.timeout, scope };
  const outcome = await ask(config, endpoint, target, patience).catch((reason: SessionError) => reason);
  scope.close();
  return typeof outcome === "string"
    ? { endpoint, server: outcome }
    : { endpoint, server: "unconfirmed", error: outcome };
}
