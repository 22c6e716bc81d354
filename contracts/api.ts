/**
 * Calls the provider's HTTP API directly, without our client in between, because the runs judge the raw answer.
 * Callers decide which answer is right.
 */
import { fieldsOf } from "./pact-file.ts";
import type { StateParameters } from "./states.ts";
import type { Target } from "./target.ts";

/** A key that no provider issues. */
export const unregisteredClientKey = "not-a-registered-client-key";

export interface Call {
  method: string;
  path: string;
  /** An access token, sent as `Bearer`. */
  token?: string;
  /** Default: the target's client key. `null` sends none. */
  clientKey?: string | null;
  region?: StateParameters["region"];
  headers?: Record<string, string>;
  body?: unknown;
}

export interface Answer {
  status: number;
  contentType: string;
  /** The body is JSON. */
  isJson: boolean;
  /** The fields of a JSON object body; empty for any other body. */
  fields: Record<string, unknown>;
}

/** No answer arrived in time. It proves nothing about the provider. */
class NoAnswer extends Error {}

/** The environment lacks a credential that a state needs. */
export class Unreachable extends Error {}

/** The provider answered a preparatory step differently from the documentation. */
export class Refused extends Error {}

export type Api = ReturnType<typeof createApi>;

const TIMEOUT_MS = 10_000;

export function createApi(target: Target) {
  const sessions: { accessToken: string; region: StateParameters["region"] | undefined }[] = [];

  async function call({ method, path, token, clientKey, region, headers, body }: Call): Promise<Answer> {
    const key = clientKey === undefined ? target.clientKey : clientKey;
    const all = {
      ...(key && { "x-client-key": key }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(region === "us" && { "x-us-env": "true" }),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    };
    const init: RequestInit = {
      method,
      headers: all,
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    try {
      const response = await target.fetch(target.baseUrl + path, {
        ...init,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const contentType = response.headers.get("content-type") ?? "";
      return { status: response.status, contentType, ...parsed(text) };
    } catch (error) {
      const late = error instanceof Error && error.name === "TimeoutError";
      throw new NoAnswer(`${method} ${path}: no answer${late ? ` within ${TIMEOUT_MS} ms` : ""}`);
    }
  }

  const withToken =
    (method: string, path: string) =>
    (token: string, more: Partial<Call> = {}) =>
      call({ method, path, token, ...more });
  const user = withToken("GET", "/v1/user");
  const logout = withToken("POST", "/v1/auth/logout");
  const revoke = withToken("DELETE", "/v1/auth/oauth/revoke");

  /**
   * Logs the test user in.
   *
   * @throws Unreachable if the environment lacks a user, or the user needs more than a password
   * @throws Refused if the answer is not a session
   */
  async function logIn(region?: StateParameters["region"]) {
    const { email, password } = region === "us" ? target.usUser : target;
    const prefix = region === "us" ? "BAANX_TEST_US" : "BAANX_TEST";
    requireKey();
    if (!email || !password) throw new Unreachable(`${prefix}_EMAIL and ${prefix}_PASSWORD are not set`);
    const answer = await call({
      method: "POST",
      path: "/v1/auth/login",
      ...(region && { region }),
      body: { email, password },
    });
    const { accessToken, userId, isOtpRequired, phase } = answer.fields;
    if (answer.status === 200 && (isOtpRequired === true || typeof phase === "string"))
      throw new Unreachable("the login of this user takes more than a password");
    if (answer.status !== 200 || typeof accessToken !== "string")
      throw new Refused(`the login answered ${answer.status} and no access token`);
    sessions.push({ accessToken, region });
    target.secrets.push(accessToken);
    return { accessToken, userId, answer };
  }

  function requireKey(): string {
    if (target.clientKey) return target.clientKey;
    throw new Unreachable("BAANX_CLIENT_KEY is not set");
  }

  /** Ends every session of these logins that is still alive, so that none stays behind at a real provider. */
  async function endSessions(): Promise<void> {
    await Promise.allSettled(
      sessions.splice(0).map(({ accessToken, region }) => logout(accessToken, region ? { region } : {})),
    );
  }

  return { call, user, logout, revoke, logIn, endSessions, requireKey };
}

function parsed(text: string): Pick<Answer, "isJson" | "fields"> {
  try {
    return { isJson: true, fields: fieldsOf(JSON.parse(text)) };
  } catch {
    return { isJson: false, fields: {} };
  }
}
