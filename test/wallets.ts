/**
 * Three production clients of the API, in miniature: how they log in, read errors, renew and sign out. Their sign-outs
 * match the table in `docs/evidence.md`, including flaws. If a known behaviour names no wallet, one of them has it.
 */
import { createHash, randomBytes } from "node:crypto";

export interface Server {
  baseUrl: string;
  clientKey: string;
}

interface Tokens {
  access: string;
  refresh?: string | undefined;
}

/** The screen of a wallet after an attempt to log in. */
export type Shown =
  | "signed in"
  | "code"
  | "wrong code"
  | "wrong credentials"
  | "locked"
  | "disabled"
  | `step ${string}`;

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

async function call(
  { baseUrl, clientKey }: Server,
  method: string,
  path: string,
  { headers, body, ms }: { headers?: Record<string, string>; body?: unknown; ms?: number } = {},
): Promise<Answer> {
  const response = await fetch(baseUrl + path, {
    method,
    headers: { "x-client-key": clientKey, "content-type": "application/json", ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(ms !== undefined && { signal: AbortSignal.timeout(ms) }),
  });
  const text = await response.text();
  return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : {} };
}

const bearer = (token: string | undefined) => ({ authorization: `Bearer ${token}` });
const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/**
 * Wallet A: reads a 400 with a code as a wrong code, sends its client key as the secret, has its own sign-in beside the
 * OAuth one, and signs out on the server first, for at most 15 seconds.
 */
export function walletA(server: Server) {
  let login: string | undefined;
  let tokens: Tokens | undefined;
  const secret = { "x-secret-key": server.clientKey };

  const exchange = async (body: object): Promise<boolean> => {
    const answer = await call(server, "POST", "/v1/auth/oauth/token", { headers: secret, body });
    if (answer.status !== 200) return false;
    tokens = { access: String(answer.body["access_token"]), refresh: text(answer.body["refresh_token"]) };
    return true;
  };

  return {
    async logIn(email: string, password: string, otpCode?: string): Promise<Shown> {
      const body = { email, password, ...(otpCode && { otpCode }) };
      const answer = await call(server, "POST", "/v1/auth/login", { body });
      const { phase, isOtpRequired, userId, accessToken, message } = answer.body;
      if (answer.status === 400 && otpCode) return "wrong code";
      if (answer.status !== 200) {
        if (text(message)?.includes("account has been disabled")) return "disabled";
        return text(message)?.includes("locked") ? "locked" : "wrong credentials";
      }
      if (phase) return `step ${phase}`;
      if (isOtpRequired) {
        await call(server, "POST", "/v1/auth/login/otp", { body: { userId } });
        return "code";
      }
      login = text(accessToken);
      return "signed in";
    },
    /** Authorizes after the password login, which stays alive, with a code from the authorization. */
    async authorize(grant: (codeChallenge: string) => string): Promise<boolean> {
      const verifier = randomBytes(32).toString("base64url");
      const code = grant(createHash("sha256").update(verifier).digest("base64url"));
      return exchange({ grant_type: "authorization_code", code, code_verifier: verifier });
    },
    renew: () => exchange({ grant_type: "refresh_token", refresh_token: tokens?.refresh }),
    user: () => call(server, "GET", "/v1/user", { headers: bearer(tokens?.access) }),
    async signOut() {
      const token = tokens?.access;
      const headers = bearer(token);
      await call(server, "POST", "/v1/auth/logout", { headers, ms: 15_000 }).catch(() => undefined);
      tokens = undefined;
    },
    held: () => ({ login, ...tokens }),
  };
}

/**
 * Wallet B: always names its region, sends `null` for a missing code, expects the challenge again for a wrong one, and
 * logs out with an empty object as the body, also without a token.
 */
export function walletB(server: Server, isUs = false) {
  let tokens: Tokens | undefined;
  let sessionId = 0;
  const region = { "x-us-env": String(isUs) };

  return {
    async logIn(email: string, password: string, otpCode: string | null = null): Promise<Shown> {
      const body = { email, password, otpCode };
      const answer = await call(server, "POST", "/v1/auth/login", { headers: region, body });
      if (answer.status !== 200) return "wrong credentials";
      const { phase, isOtpRequired, userId, accessToken } = answer.body;
      if (phase) return `step ${phase}`;
      if (isOtpRequired && otpCode) return "wrong code";
      if (isOtpRequired) {
        await call(server, "POST", "/v1/auth/login/otp", { headers: region, body: { userId } });
        return "code";
      }
      sessionId += 1;
      tokens = { access: String(accessToken) };
      return "signed in";
    },
    adopt(found: Tokens) {
      sessionId += 1;
      tokens = found;
    },
    /** Renews. After a sign-out it changes nothing here, and its tokens stay alive on the server. */
    async renew(): Promise<boolean> {
      const id = sessionId;
      const body = { grant_type: "refresh_token", refresh_token: tokens?.refresh };
      const answer = await call(server, "POST", "/v1/auth/oauth/token", { headers: region, body });
      if (answer.status !== 200 || id !== sessionId) return false;
      tokens = { access: String(answer.body["access_token"]), refresh: text(answer.body["refresh_token"]) };
      return true;
    },
    user: () => call(server, "GET", "/v1/user", { headers: { ...region, ...bearer(tokens?.access) } }),
    async signOut() {
      const headers = { ...region, ...(tokens && bearer(tokens.access)) };
      sessionId += 1;
      await call(server, "POST", "/v1/auth/logout", { headers, body: {} }).catch(() => undefined);
      tokens = undefined;
    },
    held: () => ({ ...tokens }),
  };
}

/**
 * Wallet C: reads 401, 403 and 404 as wrong credentials, except for the message of a wrong code. Sends its client key
 * alone, distinguishes a refused renewal from an inconclusive one, and signs out on the device only.
 */
export function walletC(server: Server) {
  let tokens: Tokens | undefined;
  return {
    async logIn(email: string, password: string, otpCode = ""): Promise<Shown> {
      const answer = await call(server, "POST", "/v1/auth/login", { body: { email, password, otpCode } });
      const { phase, isOtpRequired, userId, accessToken, message } = answer.body;
      if (message === "Invalid OTP code") return "wrong code";
      if ([401, 403, 404].includes(answer.status)) return "wrong credentials";
      if (phase) return `step ${phase}`;
      if (isOtpRequired) {
        await call(server, "POST", "/v1/auth/login/otp", { body: { userId } });
        return "code";
      }
      tokens = { access: String(accessToken) };
      return "signed in";
    },
    adopt(found: Tokens) {
      tokens = found;
    },
    async renew(): Promise<"renewed" | "refused" | "unknown"> {
      const body = { grant_type: "refresh_token", refresh_token: tokens?.refresh };
      const answer = await call(server, "POST", "/v1/auth/oauth/token", { body }).catch(() => undefined);
      if (answer && [400, 401, 403].includes(answer.status)) return "refused";
      if (answer?.status !== 200) return "unknown";
      tokens = { access: String(answer.body["access_token"]), refresh: text(answer.body["refresh_token"]) };
      return "renewed";
    },
    user: () => call(server, "GET", "/v1/user", { headers: bearer(tokens?.access) }),
    async signOut() {
      tokens = undefined;
    },
    held: () => ({ ...tokens }),
  };
}
