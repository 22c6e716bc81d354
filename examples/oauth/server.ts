/**
 * The half of an OAuth sign-in that runs on your server: exchanges a code for tokens, and a refresh token for the next
 * ones. It keeps nothing. The page that calls it is `browser.ts`.
 */
import { type BindingsOptions, createBindings, type SessionTokens } from "baanx-session";

export interface TokenSettings extends BindingsOptions {
  /** Only if the provider gave you one: public clients send no secret. */
  secretKey?: string;
  /** Milliseconds for one exchange. Default: 10,000. */
  timeout?: number;
}

type Grant =
  | { grant_type: "authorization_code"; code: string; code_verifier: string; redirect_uri: string }
  | { grant_type: "refresh_token"; refresh_token: string };

/** Returns a function that exchanges a code or a refresh token. It does not reject. */
export function createExchange({ secretKey, timeout = 10_000, ...api }: TokenSettings) {
  const bindings = createBindings(api);
  return async (body: Grant): Promise<SessionTokens | "refused" | "unknown"> => {
    const answer = await bindings
      .POST("/v1/auth/oauth/token", {
        body,
        ...(secretKey && { headers: { "x-secret-key": secretKey } }),
        signal: AbortSignal.timeout(timeout),
      })
      .catch(() => undefined);
    if (!answer) return "unknown";
    const { response, data, error } = answer;
    if ([400, 401, 403].includes(response.status)) {
      // The first is about the secret of this server, the second from a gateway: neither is about the user.
      const isOurSecret = JSON.stringify(error ?? "").includes("invalid_client");
      const isGateway = /basic|ntlm|negotiate/i.test(response.headers.get("www-authenticate") ?? "");
      return isOurSecret || isGateway ? "unknown" : "refused";
    }
    if (!data?.access_token) return "unknown";
    return {
      accessToken: data.access_token,
      refreshToken: data.refresh_token,
      expiresIn: data.expires_in,
    };
  };
}

/**
 * Returns a handler for `POST` requests, for any server that speaks `Request` and `Response`. It answers 200 with
 * tokens, 401 `refused`, 400 for a body that is neither exchange, and 502 if nothing is known.
 */
export function createTokenHandler(settings: TokenSettings) {
  const { secretKey: _, timeout = 10_000, ...api } = settings;
  const bindings = createBindings(api);
  const exchange = createExchange(settings);

  /** Lets all tabs recognise the user. A sign-in is complete without it. */
  async function userIdOf(accessToken: string): Promise<string | undefined> {
    const headers = { Authorization: `Bearer ${accessToken}` };
    const signal = AbortSignal.timeout(timeout);
    const answer = await bindings.GET("/v1/user", { headers, signal }).catch(() => undefined);
    return answer?.data?.id;
  }

  return async (request: Request): Promise<Response> => {
    const grant = await grantOf(request);
    if (!grant) return answerOf(400, { error: "neither a code nor a refresh token" });
    const result = await exchange(grant);
    if (result === "refused") return answerOf(401, { error: "refused" });
    if (result === "unknown") return answerOf(502, { error: "unknown" });
    const userId = grant.grant_type === "refresh_token" ? undefined : await userIdOf(result.accessToken);
    return answerOf(200, { ...result, userId });
  };
}

/** Tokens must be in no cache. */
const answerOf = (status: number, body: object) =>
  Response.json(body, { status, headers: { "cache-control": "no-store" } });

async function grantOf(request: Request): Promise<Grant | undefined> {
  const body: Record<string, unknown> = Object(await request.json().catch(() => undefined));
  const { code, verifier, redirectUri, refreshToken } = body;
  const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
  if (isText(refreshToken)) return { grant_type: "refresh_token", refresh_token: refreshToken };
  if (!isText(code) || !isText(verifier) || !isText(redirectUri)) return undefined;
  return { grant_type: "authorization_code", code, code_verifier: verifier, redirect_uri: redirectUri };
}
