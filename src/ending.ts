/**
 * One question to the server, "end this" or "is this accepted": which answer means what, when to ask
 * again, and for how long. What becomes of the entry is the outbox's business.
 */
import type { Client } from "openapi-fetch";
import { bindingsOver } from "./bindings.ts";
import type { Endpoint, Region } from "./entry.ts";
import { causeOf, jsonOf, SessionError, type SessionErrorCode, serverMessage } from "./errors.ts";
import type { paths } from "./generated/schema.ts";
import type { Config } from "./options.ts";
import { capped, createTransport } from "./transport.ts";
import { whenAborted, within } from "./within.ts";

/** What can be asked: to end a session in one way or the other, or whether it is alive. */
type Call = Endpoint | "user";

type Settled = "confirmed" | "already-invalid";

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
  data?: unknown;
  error?: unknown;
  cause?: unknown;
}

/** Whom a question is asked for: an entry, or as much of one. */
export interface Target {
  tokens: { accessToken: string };
  region: Region;
}

/** How long a question is asked. */
export interface Patience {
  /** Further attempts. */
  retries: number;
  /** ms since the epoch; a wait that does not fit before it is not begun. */
  endsAt: number;
  /** No attempt is begun after it was aborted. */
  signal: AbortSignal;
}

/**
 * Asks as often as the table and the patience allow. The first request is handed to fetch before this
 * function returns.
 *
 * @returns what settled it, or the error that did not; it never rejects
 */
export async function ask(
  config: Config,
  call: Call,
  { tokens: { accessToken }, region }: Target,
  { retries, endsAt, signal }: Patience,
): Promise<Settled | SessionError> {
  const transport = createTransport(config);
  const client = bindingsOver<paths>(config.baseUrl, async (request) => {
    const response = await transport(request, accessToken, region, signal);
    // Of an error the transport has seen to it.
    return response.ok ? capped(response) : response;
  });
  const aborted = whenAborted(signal);
  for (let attempt = 0; ; attempt++) {
    const answer = await send(client, call);
    // A token that can be asked about is alive, one that is refused is not: the column of logout.
    const cell = rowOf(call, answer)[call === "revoke" ? call : "logout"];
    if (typeof cell === "string") return cell;
    const error = errorOf(answer, cell.code, [accessToken, config.clientKey]);
    const wait = error.retryAfter ?? backoff(attempt);
    if (!cell.retried || attempt >= retries || Date.now() + wait >= endsAt) return error;
    await within(wait, aborted);
    if (signal.aborted) return error;
  }
}

async function send(client: Client<paths>, call: Call): Promise<Answer> {
  // Text, because openapi-fetch throws at a 200 that is no JSON; keepalive, because the page may be
  // on its way out.
  const init = { parseAs: "text", keepalive: true, credentials: "omit" } as const;
  try {
    if (call === "user") return await client.GET("/v1/user", init);
    if (call === "logout") return await client.POST("/v1/auth/logout", init);
    return await client.DELETE("/v1/auth/oauth/revoke", init);
  } catch (cause) {
    return { cause };
  }
}

function rowOf(call: Call, { response, data }: Answer): Row {
  const status = response?.status;
  const body = jsonOf(data);
  const isSuccess =
    status === 200 && (call === "user" ? typeof body["id"] === "string" : body["success"] === true);
  const key = isSuccess ? "success" : (status ?? "none");
  return answers[key] ?? answers[`${String(status)[0]}xx`] ?? otherwise;
}

function errorOf(
  { response, error, data, cause }: Answer,
  code: SessionErrorCode,
  secrets: string[],
): SessionError {
  if (!response) return new SessionError(code, undefined, { cause: causeOf(cause) });
  const { status } = response;
  const retryAfter = retryAfterOf(response);
  const said = serverMessage(error ?? data, secrets);
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
