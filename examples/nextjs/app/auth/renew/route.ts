/** Exchanges a refresh token on the server, where the secret of the client can be kept. Both halves of a sign-in: `examples/oauth`. */
import { createBindings } from "baanx-session";

export async function POST(request: Request): Promise<Response> {
  const { refreshToken } = await request.json().catch(() => ({}));
  if (typeof refreshToken !== "string") return answer(400, { error: "refreshToken is missing" });
  const api = {
    baseUrl: process.env.BAANX_BASE_URL ?? "https://dev.api.baanx.com",
    clientKey: process.env.BAANX_CLIENT_KEY ?? "your-client-key",
  };
  const secret = process.env.BAANX_SECRET_KEY;
  const exchange = await createBindings(api)
    .POST("/v1/auth/oauth/token", {
      body: { grant_type: "refresh_token", refresh_token: refreshToken },
      ...(secret && { headers: { "x-secret-key": secret } }),
      signal: AbortSignal.timeout(10_000),
    })
    .catch(() => undefined);
  const { data, response, error } = exchange ?? {};
  // A wrong secret of this server says nothing about the user's token.
  const isRefused =
    [400, 401, 403].includes(response?.status ?? 0) && !JSON.stringify(error).includes("invalid_client");
  if (isRefused) return answer(401, { error: "refused" });
  if (!data) return answer(502, { error: "unknown" });
  return answer(200, {
    accessToken: data.access_token,
    refreshToken: data.refresh_token,
    expiresIn: data.expires_in,
  });
}

/** Tokens must be in no cache. */
const answer = (status: number, body: object) =>
  Response.json(body, { status, headers: { "cache-control": "no-store" } });
