/**
 * A password login with each of its outcomes. It knows the answers of the API and no screen: the page chooses the
 * sentences.
 */
import {
  type BindingsOptions,
  completedLogin,
  createBindings,
  type Session,
  type SessionStart,
} from "baanx-session";

export interface Credentials {
  email: string;
  password: string;
  /** The one-time password, once a result has asked for it. */
  otpCode?: string;
}

/** With `asksForCode`, ask the user for a one-time password, and call `logIn` again with it. */
export type LogInResult =
  /** With the result of `start()`: a server ends a session that is not `stored`, a page continues. */
  | ({ outcome: "signed-in" } & SessionStart)
  /** By SMS, or the user has an authenticator app. Without `otpCode`, a further call sends another code. */
  | { outcome: "code-sent"; asksForCode: true; phoneNumber?: string }
  /** Wrong or expired. No other code was sent. */
  | { outcome: "code-refused"; asksForCode: true }
  /** `phase` is the missing step, such as `PHONE_NUMBER`. */
  | { outcome: "registration-incomplete"; phase: string }
  | { outcome: "locked" | "disabled" }
  /** Wrong credentials, or another reason that the API did not tell. */
  | { outcome: "refused" }
  /** `until` is known if the API said so. With `asksForCode`, the user may have a code all the same. */
  | { outcome: "rate-limited"; until?: Date; asksForCode?: true }
  /** No answer, or one that says nothing about the login. With `asksForCode`, the user may have a code all the same. */
  | { outcome: "unavailable"; asksForCode?: true };

interface Answer {
  response: Response;
  error?: unknown;
}

/** Logs in and starts the session, or names the missing step. It does not reject because of the network. */
export async function logIn(
  api: BindingsOptions,
  session: Session,
  { email, password, otpCode }: Credentials,
): Promise<LogInResult> {
  const bindings = createBindings(api);
  const body = { email, password, ...(otpCode && { otpCode }) };
  const answer = await bindings.POST("/v1/auth/login", { body }).catch(() => undefined);
  if (!answer?.response.ok) return failureOf(answer, otpCode);

  const { data } = answer;
  const login = completedLogin(data);
  if (login) {
    return { outcome: "signed-in", ...(await session.start(login)) };
  }
  // Before the one-time password: an answer may ask for both.
  if (data?.phase) return { outcome: "registration-incomplete", phase: data.phase };
  if (!data?.isOtpRequired || !data.userId) return { outcome: "unavailable" };
  // A challenge that follows a code refuses that code. Each further code would spend a rate-limited call.
  if (otpCode) return { outcome: "code-refused", asksForCode: true };

  const { userId, phoneNumber } = data;
  const sent = await bindings.POST("/v1/auth/login/otp", { body: { userId } }).catch(() => undefined);
  // `{"success": false}` says that the code was not sent.
  if (sent?.response.ok && sent.data?.success === true)
    return { outcome: "code-sent", asksForCode: true, ...(phoneNumber && { phoneNumber }) };
  // An authenticator app has a code, whatever became of this call.
  if (sent?.response.status === 429) return { ...rateLimit(sent.response), asksForCode: true };
  return { outcome: "unavailable", asksForCode: true };
}

/** The statuses by which a login is refused; the others say nothing about the credentials. */
const REFUSALS = [400, 401, 403, 404, 422];

function failureOf(answer: Answer | undefined, otpCode: string | undefined): LogInResult {
  const { response, error } = answer ?? {};
  if (response?.status === 429) return rateLimit(response);
  if (!response || !REFUSALS.includes(response.status)) return { outcome: "unavailable" };
  // Of any shape, HTML included.
  const text = JSON.stringify(error ?? "");
  if (/account has been disabled/i.test(text)) return { outcome: "disabled" };
  if (/\blocked\b/i.test(text)) return { outcome: "locked" };
  const isAboutCode = response.status === 400 || /\b(otp|one-time|code)\b/i.test(text);
  if (otpCode && isAboutCode) return { outcome: "code-refused", asksForCode: true };
  return { outcome: "refused" };
}

/** `Retry-After` in seconds or as a date (RFC 9110). A page reads it only where CORS exposes it. */
function rateLimit({ headers }: Response): { outcome: "rate-limited"; until?: Date } {
  const value = headers.get("retry-after") ?? "";
  const until = /^\d+$/.test(value) ? Date.now() + Number(value) * 1_000 : Date.parse(value);
  return { outcome: "rate-limited", ...(Number.isFinite(until) && { until: new Date(until) }) };
}
