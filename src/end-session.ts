/** Ends or checks one access token, without a session object: for a server, a job, the command line. */
import { createAsk, type Question, type Settled } from "./ask.ts";
import { createDeadline } from "./deadline.ts";
import type { SessionError } from "./errors.ts";
import { fieldsOf } from "./json.ts";
import { type BindingsOptions, check, checkOptions, checkToken, type SessionOptions } from "./options.ts";
import { type Endpoint, endpointOf, type Grant, type Region } from "./record.ts";
import { createTransport } from "./transport.ts";
import type { EndOptions } from "./types.ts";

/** The options of {@link endSession} and {@link probe}: those of a session that concern the server. */
export type EndSessionOptions = BindingsOptions & Pick<SessionOptions, "timeout" | "retries">;

/** The token to ask about. */
export interface ProbeTarget {
  /** The bearer token, of characters 0x21 to 0x7E. */
  accessToken: string;
  /** The region that the token belongs to. Default: the region of the options. */
  region?: Region | undefined;
}

/** The token to end. */
export interface EndTarget extends ProbeTarget {
  /** `login` asks for a logout, `oauth` for a revoke. */
  grant: Grant;
}

/** The answer of the server. */
export interface ServerEnd {
  /** Which endpoint was asked. */
  endpoint: Endpoint;
  /**
   * `confirmed`: the server said that the token has ended. `already-invalid`: this environment does not accept the token.
   * `unconfirmed`: see `error`; the token may be alive.
   */
  server: Settled | "unconfirmed";
  /** Why it is unconfirmed. */
  error?: SessionError;
}

/** Never rejects because of the network or the server. */
async function askOnce(
  options: EndSessionOptions,
  question: Question,
  given: ProbeTarget,
  signal?: AbortSignal,
): Promise<Settled | SessionError> {
  const config = checkOptions(options);
  const { accessToken, region = config.region } = fieldsOf(given) as unknown as ProbeTarget;
  const target = { accessToken, region };
  checkToken("accessToken", accessToken);
  check({ region });
  const ask = createAsk(config, createTransport(config));
  const deadline = createDeadline(config.timeout, signal);
  const limits = { retries: config.retries, deadline };
  const answer = await ask(question, target, limits).catch((reason: SessionError) => reason);
  deadline.dispose();
  return answer;
}

/**
 * Ends one access token on the server: by `POST /v1/auth/logout`, or with all tokens of its OAuth client by
 * `DELETE /v1/auth/oauth/revoke`. It stores and clears nothing; the caller repeats an ending that is unconfirmed.
 *
 * @param options - where and how; `timeout` (ms, default 5,000) and `retries` (default 2) as for a session
 * @param target - the token
 * @param caller - its `signal` aborts the request; the result is then `unconfirmed`, with the error `aborted`
 * @returns the answer of the server; it does not reject because of the network or the server
 * @throws SessionError `invalid-option`, naming the option
 * @see {@link https://docs.baanx.com | Logout User}
 */
export async function endSession(
  options: EndSessionOptions,
  target: EndTarget,
  { signal }: EndOptions = {},
): Promise<ServerEnd> {
  const { grant } = fieldsOf(target);
  check({ grant });
  const endpoint = endpointOf(target.grant);
  const answer = await askOnce(options, endpoint, target, signal);
  return typeof answer === "string"
    ? { endpoint, server: answer }
    : { endpoint, server: "unconfirmed", error: answer };
}

/**
 * Asks `GET /v1/user` whether a token is accepted. It bypasses HTTP caches and changes nothing.
 *
 * @param options - as for {@link endSession}; `retries` defaults to 0
 * @param target - the token
 * @param caller - its `signal` aborts the request
 * @returns `active` after a 200 with the user, `invalid` after a 401
 * @throws SessionError after any other answer, or none within `timeout`: inconclusive
 */
export async function probe(
  options: EndSessionOptions,
  target: ProbeTarget,
  { signal }: EndOptions = {},
): Promise<"active" | "invalid"> {
  const answer = await askOnce({ ...options, retries: options.retries ?? 0 }, "user", target, signal);
  if (typeof answer !== "string") throw answer;
  return answer === "confirmed" ? "active" : "invalid";
}
