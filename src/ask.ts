/**
 * One question to the server, "end this" or "is this accepted": which answer means what, and when to ask again. What
 * becomes of the record is up to `endings.ts`.
 */
import createClient from "openapi-fetch";
import { causeOf, SessionError, type SessionErrorCode } from "./errors.ts";
import type { paths } from "./generated/schema.ts";
import type { Config } from "./options.ts";
import type { Endpoint, Region } from "./record.ts";
import type { Scope } from "./scope.ts";
import { serverMessage } from "./server-message.ts";
import { createTransport, textOf } from "./transport.ts";
import { jsonOf } from "./unknown.ts";

/** What can be asked: to end a session in one way or the other, or whether it is alive. */
export type Question = Endpoint | "user";

/** What settles a question; of `user`, `confirmed` says that the token is accepted. */
export type Settled = "confirmed" | "already-invalid";

interface Failure {
  code: SessionErrorCode;
  retried?: boolean;
}
interface Row {
  logout: Settled | Failure;
  revoke: Settled | Failure;
}

const failure = (code: SessionErrorCode, retried = false): Row => {
  const cell = { code, retried };
  return { logout: cell, revoke: cell };
};

/** One row an answer: by its content, its status, or the class of its status. */
const answers: Record<string, Row> = {
  success: { logout: "confirmed", revoke: "confirmed" },
  // An expired access token says nothing of the refresh token, which a revoke is there to kill.
  401: { logout: "already-invalid", revoke: { code: "unauthorized" } },
  498: failure("client-key-invalid"),
  499: failure("client-key-missing"),
  429: failure("rate-limited", true),
  "4xx": failure("rejected"),
  "5xx": failure("server-error", true),
  none: failure("network", true),
};
const otherwise = failure("unexpected-response");

/** Whether what a question failed at is worth asking again, by the same table. */
export const isRetried = (code: SessionErrorCode): boolean =>
  Object.values(answers).some(
    ({ logout }) => typeof logout !== "string" && logout.code === code && logout.retried,
  );

/** What openapi-fetch resolves to, as far as it matters here; no `response` where there was no answer. */
interface Answer {
  response?: Response;
  /** Its text, or what openapi-fetch has parsed of an error. */
  body?: unknown;
  cause?: unknown;
}

/** The token that is asked about. */
export interface Target {
  accessToken: string;
  region: Region;
}

/** How long a question is asked. */
export interface Patience {
  /** Further attempts. */
  retries: number;
  /** ms since the epoch; a wait that does not fit before it is not begun. */
  endsAt: number;
  scope: Scope;
}

/**
 * Asks as often as the table and the patience allow. The first request is handed to fetch before this function
 * returns.
 *
 * @returns what settled it, or the error that did not
 * @throws the scope's reason, once that is aborted
 */
export async function ask(
  config: Config,
  question: Question,
  target: Target,
  { retries, endsAt, scope }: Patience,
): Promise<Settled | SessionError> {
  const send = createSender(config, question, target, scope.signal);
  for (let attempt = 0; ; attempt++) {
    scope.check();
    const answer = await scope.wait(send());
    // For "user" it is the column of logout: there, too, a 401 says that the token is not accepted.
    const cell = rowOf(question, answer)[question === "revoke" ? question : "logout"];
    if (typeof cell === "string") return cell;
    const error = errorOf(answer, cell.code, [target.accessToken, config.clientKey]);
    const wait = error.retryAfter ?? backoff(attempt);
    if (!cell.retried || attempt >= retries || Date.now() + wait >= endsAt) return error;
    await scope.sleep(wait);
  }
}

/** What openapi-fetch makes in place of a Request: fetch makes one of its own in any case. */
class Call {
  readonly url: string;
  readonly init: RequestInit;
  constructor(url: string, init: RequestInit) {
    this.url = url;
    this.init = init;
  }
}

/** Sends the question; it never rejects. */
function createSender(
  config: Config,
  question: Question,
  { accessToken, region }: Target,
  signal: AbortSignal,
): () => Promise<Answer> {
  const transport = createTransport(config);
  const client = createClient<paths>({
    baseUrl: config.baseUrl,
    Request: Call as never,
    fetch: (call) => {
      const { url, init } = call as never as Call;
      return transport(url, { ...init, signal }, accessToken, region);
    },
  });
  // A stream, because its length is bounded here, and openapi-fetch throws at a 200 that is no JSON; keepalive,
  // because the page may be on its way out.
  const init = { parseAs: "stream", keepalive: true, credentials: "omit" } as const;
  const asking = {
    user: () => client.GET("/v1/user", init),
    logout: () => client.POST("/v1/auth/logout", init),
    revoke: () => client.DELETE("/v1/auth/oauth/revoke", init),
  };
  return async () => {
    try {
      const { response, error } = await asking[question]();
      return { response, body: response.ok ? await textOf(response) : error };
    } catch (cause) {
      return { cause };
    }
  };
}

function rowOf(question: Question, { response, body }: Answer): Row {
  const status = response?.status;
  const { id, success } = jsonOf(body);
  const isSuccess = status === 200 && (question === "user" ? typeof id === "string" : success === true);
  const key = isSuccess ? "success" : (status ?? "none");
  return answers[key] ?? answers[`${String(status)[0]}xx`] ?? otherwise;
}

function errorOf({ response, body, cause }: Answer, code: SessionErrorCode, secrets: string[]): SessionError {
  if (!response) return new SessionError(code, undefined, { cause: causeOf(cause) });
  const { status } = response;
  const retryAfter = retryAfterOf(response);
  const said = serverMessage(body, secrets);
  return new SessionError(code, `status ${status}`, {
    status,
    ...(retryAfter !== undefined && { retryAfter }),
    ...(said && { serverMessage: said }),
  });
}

/** ms of a `Retry-After`, given in seconds or as an HTTP date (RFC 9110, section 10.2.3). */
function retryAfterOf({ headers }: Response): number | undefined {
  const value = headers.get("retry-after") ?? "";
  // Of dates only the form that HTTP sends: Date.parse makes one of nearly anything, "2, 3" included.
  const isDate = / GMT$/.test(value);
  const wait = isDate
    ? Date.parse(value) - Date.now()
    : /^\d+$/.test(value)
      ? Number(value) * 1_000
      : Number.NaN;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** 125 to 250 ms, then twice that, and so on; the jitter keeps many clients from asking together. */
const backoff = (attempt: number): number => 250 * 2 ** attempt * (0.5 + Math.random() / 2);
