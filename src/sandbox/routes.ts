/**
 * The endpoints of the sandbox: the status and the body of each answer, as the specification has them. Which tokens
 * and codes are accepted is decided by `state.ts`; faults on demand are left to `faults.ts`.
 */
import type { Context, Hono } from "hono";
import {
  type AccessToken,
  type Account,
  accessTokenSeconds,
  type Region,
  type SandboxState,
  type SentCode,
} from "./state.ts";

export interface RouteOptions {
  state: SandboxState;
  clientKeys: ReadonlySet<string>;
  secretKey: string;
  wrongOtp: WrongOtp;
  /** Sends a one-time password to its user. */
  sendCode: (sent: SentCode) => void;
}

/** The answer to a wrong one-time password: each was observed at one production client. */
export const wrongOtpAnswers = ["challenge", 400, 401] as const;
export type WrongOtp = (typeof wrongOtpAnswers)[number];

export function addRoutes(app: Hono, options: RouteOptions): void {
  const { state, clientKeys, secretKey, wrongOtp, sendCode } = options;
  // The key comes first on every path of the API: a request without one learns nothing else.
  app.use("/v1/*", async (c, next) => {
    const clientKey = c.req.header("x-client-key");
    if (!clientKey) return message("Missing client key", 499);
    if (!clientKeys.has(clientKey)) return message("Invalid client key", 498);
    return next();
  });

  /** The handler runs for a living access token of the request's region; all others answer 401. */
  const authenticated = (handler: (accessToken: AccessToken) => Response) => (c: Context) => {
    const token = bearerToken(c.req.header("authorization"));
    const accessToken = token && state.findAccessToken(token, regionOf(c.req.raw));
    return accessToken ? handler(accessToken) : message("Not authenticated", 401);
  };

  app.get(
    "/v1/user",
    authenticated(({ user }) =>
      Response.json({ id: user.id, email: user.email, verificationState: "VERIFIED" }),
    ),
  );

  app.post(
    "/v1/auth/logout",
    authenticated(({ token }) => {
      state.endAccessToken(token);
      return Response.json({ success: true });
    }),
  );

  app.delete(
    "/v1/auth/oauth/revoke",
    authenticated(({ user, region, authorization }) => {
      // Assumed: a token of a password login belongs to no OAuth client, so there is nothing it may revoke.
      if (authorization === undefined) return message("Not a token of an OAuth client", 403);
      state.revoke(user, region);
      return Response.json({ success: true });
    }),
  );

  /** Observed: a token that is no longer accepted also fails the calls that do not need a token. The status is assumed. */
  const withoutStaleToken = (handler: (c: Context) => Promise<Response>) => async (c: Context) => {
    const header = c.req.header("authorization");
    const token = bearerToken(header);
    const isStale = header !== undefined && !(token && state.findAccessToken(token, regionOf(c.req.raw)));
    return isStale ? message("Missing User Data", 400) : handler(c);
  };

  app.post(
    "/v1/auth/login",
    withoutStaleToken(async (c) => {
      const { email, password, otpCode } = await jsonBody(c);
      if (typeof email !== "string" || typeof password !== "string" || !email || !password)
        return message("email and password are required", 400);
      if (otpCode !== undefined && otpCode !== null && typeof otpCode !== "string")
        return message("otpCode must be a string", 422);
      const user = state.findByEmail(email);
      if (user?.password !== password) return message("Invalid credentials", 401);
      if (user.isLocked) return message("Your account is locked", 401);
      if (user.isDisabled) return message("Your account has been disabled", 401);

      const region = regionOf(c.req.raw);
      // Clients send null and "" for no code.
      const isOtpRequired = hasOtp(user) && !otpCode;
      const answered = { userId: user.id, isOtpRequired, isLinked: false };
      if (user.phase)
        return Response.json({
          ...answered,
          accessToken: null,
          phoneNumber: null,
          phase: user.phase,
          verificationState: null,
        });
      const isRefused =
        hasOtp(user) && typeof otpCode === "string" && !!otpCode && !state.acceptsCode(user, otpCode);
      if (isRefused && wrongOtp !== "challenge") return message("Invalid OTP code", wrongOtp);
      const isChallenged = isOtpRequired || isRefused;
      return Response.json({
        ...answered,
        // As documented: an answer that asks for the code carries a token, too, which is not valid yet.
        accessToken: isChallenged ? state.beginLogin(user.id, region) : state.login(user.id, region),
        isOtpRequired: isChallenged,
        phoneNumber: isChallenged ? "+44******123" : null,
        phase: null,
        verificationState: "VERIFIED",
      });
    }),
  );

  app.post(
    "/v1/auth/login/otp",
    withoutStaleToken(async (c) => {
      const { userId } = await jsonBody(c);
      const user = typeof userId === "string" ? state.findById(userId) : undefined;
      // Assumed, for a user without one-time passwords too.
      if (!user || !hasOtp(user)) return message("userId is not known", 400);
      const wait = state.countOtpCall(user);
      if (wait > 0)
        return message("Too many requests", 429, { "retry-after": String(Math.ceil(wait / 1_000)) });
      if (user.otpCode !== undefined) sendCode({ userId: user.id, email: user.email, otpCode: user.otpCode });
      return Response.json({ success: true });
    }),
  );

  app.post("/v1/auth/oauth/token", async (c) => {
    const clientKey = c.req.header("x-client-key");
    const secret = c.req.header("x-secret-key") || clientKey;
    const body = await jsonBody(c);
    const { grant_type, refresh_token, code, code_verifier, redirect_uri, client_id = clientKey } = body;
    // Public clients send their client key as the secret, or no secret at all.
    if ((secret !== secretKey && secret !== clientKey) || client_id !== clientKey)
      return oauthError("invalid_client", 401);
    const region = regionOf(c.req.raw);
    const text = (value: unknown) => (typeof value === "string" ? value : "");
    const grants: Record<string, () => ReturnType<typeof state.refresh>> = {
      refresh_token: () => state.refresh(text(refresh_token), region),
      authorization_code: () => state.exchange(text(code), text(code_verifier), redirect_uri, region),
    };
    const grant = Object.hasOwn(grants, text(grant_type)) && grants[text(grant_type)];
    if (!grant) return oauthError("unsupported_grant_type", 400);
    const tokens = grant();
    if (!tokens) return oauthError("invalid_grant", 400);
    return Response.json({
      access_token: tokens.accessToken,
      expires_in: accessTokenSeconds,
      refresh_token: tokens.refreshToken,
      refresh_token_expires_in: 15_897_600,
    });
  });

  app.notFound((c) => cannot(c.req.raw));
}

export function regionOf(request: Request): Region {
  const asked =
    request.headers.get("x-us-env") === "true" || new URL(request.url).searchParams.get("region") === "us";
  return asked ? "us" : "international";
}

/** The one token of `Bearer <token>`; the scheme is case-insensitive (RFC 9110), the token RFC 6750's. */
function bearerToken(authorization: string | undefined): string | undefined {
  return /^bearer +([\w.~+/-]+=*)$/i.exec(authorization ?? "")?.[1];
}

async function jsonBody(c: Context): Promise<Record<string, unknown>> {
  const body: unknown = await c.req.json().catch(() => undefined);
  return typeof body === "object" && body !== null ? { ...body } : {};
}

/** A login of the user needs a one-time password. */
const hasOtp = ({ otpCode, totp }: Account): boolean => otpCode !== undefined || totp !== undefined;

function message(text: string, status: number, headers: Record<string, string> = {}): Response {
  return Response.json({ message: text }, { status, headers });
}

function oauthError(error: string, status: number): Response {
  return Response.json({ error, error_description: error.replaceAll("_", " ") }, { status });
}

/** Express's own page, as observed: an API that answers JSON everywhere else answers HTML here. */
function cannot({ method, url }: Request): Response {
  const page = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Error</title>
</head>
<body>
<pre>Cannot ${method} ${new URL(url).pathname}</pre>
</body>
</html>
`;
  return new Response(page, { status: 404, headers: { "content-type": "text/html; charset=utf-8" } });
}
