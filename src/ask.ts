/**
 * One question to the server, "end this" or "is this accepted": the table of answers, and when to ask again. What becomes
 * of the record is decided by `endings.ts`.
 */
import createClient from "openapi-fetch";
import type { Deadline } from "./deadline.ts";
import { causeOf, SessionError, type SessionErrorCode } from "./errors.ts";
import type { paths } from "./generated/schema.ts";
import { jsonOf } from "./json.ts";
import type { Config } from "./options.ts";
import type { Endpoint, Grant, Region } from "./record.ts";
import { serverMessage } from "./server-message.ts";
import { Call, readBody, refusesToken, type Transport } from "./transport.ts";

/** The question: to end a session by one of the endpoints, or whether its token is accepted. */
export type Question = Endpoint | "user";

/** The answer that settles a question; to `user`, `confirmed` means that the token is accepted. */
export type Settled = "confirmed" | "already-invalid";

interface Failure {
  code: SessionErrorCode;
  isRetried?: boolean;
}
type Row = Record<"logout" | "revoke", Settled | Failure>;

const failure = (code: SessionErrorCode, isRetried = false): Row => {
  const cell = { code, isRetried };
  return { logout: cell, revoke: cell };
};

/** One row for each answer: by its content, its status, or the class of its status. */
const answers: Record<string, Row> = {
  success: { logout: "confirmed", revoke: "confirmed" },
  // An expired access token says nothing about the refresh token, which a revoke is there to end.
  401: { logout: "already-invalid", revoke: { code: "unauthorized" } },
  498: failure("client-key-invalid"),
  499: failure("client-key-missing"),
  429: failure("rate-limited", true),
  "4xx": failure("rejected"),
  "5xx": failure("server-error", true),
  none: failure("network", true),
};
const otherwise = failure("unexpected-response");

/** How to fix a failure, where the status alone does not say it. */
const advice: Partial<Record<SessionErrorCode, string>> = {
  network:
    "no answer: the server is not reachable, the name in baseUrl is wrong, or the browser's CORS check refused the request",
  unauthorized: "the token is not accepted, and a refresh token may be alive: renew it and revoke again",
  "client-key-invalid": "check clientKey: it differs per environment, and must belong to baseUrl",
  "client-key-missing": "a proxy on the way removes the header x-client-key",
  "unexpected-response": "not an answer of the API: check baseUrl, and any proxy or gateway on the way",
};

/** Returns whether an error is worth another attempt, by the same table. */
export const isRetried = (code: SessionErrorCode): boolean =>
  Object.values(answers).some(
    ({ logout }) => typeof logout !== "string" && logout.code === code && logout.isRetried,
  );

/** The answer of openapi-fetch, as far as it matters here; without `response` if there was none. */
interface Answer {
  response?: Response;
  /** The body as a string, or as openapi-fetch parsed it. */
  body?: unknown;
  cause?: unknown;
}

/** The token that is asked about. */
interface Target {
  accessToken: string;
  region: Region;
  grant?: Grant;
}

/**
 * Asks as often as the table, `retries` and the deadline allow. The first request is handed to fetch before the function
 * returns.
 *
 * @returns the answer that settled the question, or the error of the last attempt
 * @throws the reason of the deadline, once that is aborted
 */
export type Ask = (
  question: Question,
  target: Target,
  limits: { retries: number; deadline: Deadline; mayRetry?: () => boolean | Promise<boolean> },
) => Promise<Settled | SessionError>;

export function createAsk(config: Config, transport: Transport): Ask {
  const client = createClient<paths>({
    baseUrl: config.baseUrl,
    Request: Call as never,
    // openapi-fetch passes on the extra property.
    fetch: (call) => {
      const { url, init } = call as never as Call & { init: RequestInit & { target: Target } };
      const { target, ...rest } = init;
      return transport(url, rest, target.accessToken, target.region);
    },
  });

  /** Never rejects. */
  async function send(question: Question, target: Target, signal: AbortSignal): Promise<Answer> {
    // A stream, because its length is bounded here, and openapi-fetch throws at a 200 that is not JSON; keepalive,
    // because the page may be closing.
    const init = { parseAs: "stream", keepalive: true, credentials: "omit", target, signal } as const;
    try {
      const { response, error } = await {
        user: () => client.GET("/v1/user", init),
        logout: () => client.POST("/v1/auth/logout", init),
        revoke: () => client.DELETE("/v1/auth/oauth/revoke", init),
      }[question]();
      return { response, body: response.ok ? await readBody(response) : error };
    } catch (cause) {
      return { cause };
    }
  }

  return async (question, target, { retries, deadline, mayRetry = () => true }) => {
    for (let attempt = 0; ; attempt++) {
      deadline.throwIfAborted();
      const answer = await deadline.race(send(question, target, deadline.signal()));
      // For "user" the column of logout holds: there, too, a 401 means that the token is not accepted.
      const cell = rowOf(question, answer)[question === "revoke" ? question : "logout"];
      if (typeof cell === "string") return cell;
      const wait = retryAfterOf(answer.response) ?? backoff(attempt);
      // Not by one status: which one the API answers to the token of a login is not documented.
      const isWrongCall =
        question === "revoke" && target.grant === "login" && (answer.response?.status ?? 498) < 498;
      const help = isWrongCall ? "revoke() is for OAuth sessions: use end()" : advice[cell.code];
      const error = () => errorOf(answer, cell.code, help, [target.accessToken, config.clientKey]);
      if (!cell.isRetried || attempt >= retries || wait >= deadline.left()) return error();
      await deadline.sleep(wait);
      if (!(await mayRetry())) return error();
    }
  };
}

function rowOf(question: Question, { response, body }: Answer): Row {
  const status = response?.status;
  // A gateway's own 401.
  if (response && status === 401 && !refusesToken(response)) return otherwise;
  const { id, success } = status === 200 ? jsonOf(body) : {};
  const isSuccess = question === "user" ? typeof id === "string" : success === true;
  const key = isSuccess ? "success" : (status ?? "none");
  return answers[key] ?? answers[`${String(status)[0]}xx`] ?? otherwise;
}

function errorOf(
  { response, body, cause }: Answer,
  code: SessionErrorCode,
  help: string | undefined,
  secrets: string[],
): SessionError {
  if (!response) return new SessionError(code, help, { cause: causeOf(cause) });
  const { status } = response;
  const retryAfter = retryAfterOf(response);
  const message = serverMessage(body, secrets);
  return new SessionError(code, [`status ${status}`, help].filter(Boolean).join(", "), {
    status,
    ...(retryAfter !== undefined && { retryAfter }),
    ...(message && { serverMessage: message }),
  });
}

/** Returns the ms of a `Retry-After`, given in seconds or as an HTTP date (RFC 9110, section 10.2.3). */
function retryAfterOf(response: Response | undefined): number | undefined {
  const value = response?.headers.get("retry-after") ?? "";
  // Only the form of dates that HTTP sends: Date.parse accepts nearly anything, "2, 3" included.
  const wait = / GMT$/.test(value)
    ? Date.parse(value) - Date.now()
    : /^\d+$/.test(value)
      ? Number(value) * 1_000
      : Number.NaN;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** Returns 125 to 250 ms, then twice that, and so on; the jitter keeps many clients from asking at one time. */
const backoff = (attempt: number): number => 250 * 2 ** attempt * (0.5 + Math.random() / 2);
