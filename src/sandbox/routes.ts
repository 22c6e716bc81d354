/**
 * The endpoints of the sandbox: which status and body each request deserves, as the specification
 * says. What is alive is known by `state.ts`; what goes wrong on demand is left to `faults.ts`.
 */
import type { Context, Hono } from "hono";
import {
  type AccessToken,
  accessTokenSeconds,
  type Region,
  type SandboxState,
  type SentCode,
} from "./state.ts";

export interface RouteOptions {
  state: SandboxState;
  clientKeys: ReadonlySet<string>;
  secretKey: string;
  /** Sends a one-time password to its user. */
  sendCode: (sent: SentCode) => void;
}

export function addRoutes(app: Hono, { state, clientKeys, secretKey, sendCode }: RouteOptions): void {
  // The key comes first on every path of the API: a request without one learns nothing else.
  app.use("/v1/*", async (c, next) => {
    const clientKey = c.req.header("x-client-key");
    if (!clientKey) return Response.json({ error: "Missing client key", details: [] }, { status: 499 });
    if (!clientKeys.has(clientKey)) {
      return Response.json({ error: "Invalid client key", details: [] }, { status: 498 });
    }
    return next();
  });

  /** The handler runs for a living access token of the region at hand; all others answer 401. */
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

  app.post("/v1/auth/login", async (c) => {
    const { email, password, otpCode } = await jsonBody(c);
    if (typeof email !== "string" || typeof password !== "string" || !email || !password) {
      return message("email and password are required", 400);
    }
    const user = state.findByEmail(email);
    if (user?.password !== password) return message("Invalid credentials", 401);
    const isOtpRequired = user.otpCode !== undefined && otpCode === undefined;
    if (!isOtpRequired && user.otpCode !== undefined && otpCode !== user.otpCode)
      return message("Invalid credentials", 401);
    const region = regionOf(c.req.raw);
    return Response.json({
      // As documented: an answer that asks for the code carries a token, too, which is not valid yet.
      accessToken: isOtpRequired ? state.beginLogin(user.id, region) : state.login(user.id, region),
      userId: user.id,
      isOtpRequired,
      phoneNumber: isOtpRequired ? "+44******123" : null,
      phase: null,
      verificationState: "VERIFIED",
      isLinked: false,
    });
  });

  app.post("/v1/auth/login/otp", async (c) => {
    const { userId } = await jsonBody(c);
    const user = typeof userId === "string" ? state.findById(userId) : undefined;
    // Assumed, for a user without one-time passwords too.
    if (user?.otpCode === undefined) return message("userId is not known", 400);
    sendCode({ userId: user.id, email: user.email, otpCode: user.otpCode });
    return Response.json({ success: true });
  });

  // Only the refresh grant: nothing here needs the browser steps that come before a first token.
  app.post("/v1/auth/oauth/token", async (c) => {
    if (c.req.header("x-secret-key") !== secretKey) return oauthError("invalid_client", 401);
    const { grant_type, refresh_token } = await jsonBody(c);
    if (grant_type !== "refresh_token") return oauthError("unsupported_grant_type", 400);
    const renewed = typeof refresh_token === "string" && state.refresh(refresh_token, regionOf(c.req.raw));
    if (!renewed) return oauthError("invalid_grant", 400);
    return Response.json({
      token_type: "bearer",
      access_token: renewed.accessToken,
      expires_in: accessTokenSeconds,
      refresh_token: renewed.refreshToken,
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

function message(text: string, status: number): Response {
  return Response.json({ message: text }, { status });
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
