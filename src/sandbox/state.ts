/**
 * The memory of the sandbox: users, access tokens, OAuth authorizations and one-time passwords. It decides which
 * token and which code is accepted, in memory and without HTTP; statuses and bodies are left to `routes.ts`.
 */
import { createHash } from "node:crypto";
import { codeAt, decodeSecret, stepAt, stepOfCode } from "./totp.ts";

/** Which back end: each has sessions of its own. */
export type Region = "international" | "us";

export interface User {
  id: string;
  email: string;
  password: string;
}

/** The steps of the registration that a login may name. */
export type Phase =
  | "ACCOUNT"
  | "PHONE_NUMBER"
  | "PERSONAL_INFORMATION"
  | "PHYSICAL_ADDRESS"
  | "MAILING_ADDRESS";

export interface Account extends User {
  /** If set, a login is complete only with this one-time password, and `POST /v1/auth/login/otp` sends it. */
  otpCode?: string;
  /**
   * The base32 secret of an authenticator app (TOTP, RFC 6238). If set, a login is complete only with its code; each
   * code is accepted once. `POST /v1/auth/login/otp` is accepted and sends nothing.
   */
  totp?: string;
  /** The missing step of the registration. If set, a login answers 200 with it and without a token. */
  phase?: Phase;
  /** Refuse a login with the right password, with a message that says "locked". */
  isLocked?: boolean;
  /** Refuse a login with the right password, with a message that says "account has been disabled". */
  isDisabled?: boolean;
}

/** A one-time password that was sent to a user. */
export interface SentCode {
  userId: string;
  email: string;
  otpCode: string;
}

export interface AccessToken {
  token: string;
  user: Account;
  region: Region;
  expiresAt: number;
  /** Set for a token of an OAuth authorization, missing for a token of a password login. */
  authorization?: Authorization;
}

export interface Authorization {
  id: string;
  user: Account;
  region: Region;
  refreshToken: string;
  /** All that were minted for it, dead ones included. */
  accessTokens: Set<string>;
}

/** The result of the browser steps of OAuth: what one exchange gives the tokens for. */
export interface CodeGrant {
  userId: string;
  region: Region;
  /** base64url of the SHA-256 hash of the verifier (RFC 7636, method S256). */
  codeChallenge: string;
  /** If set, the exchange must name it, too. */
  redirectUri?: string;
}

export const accessTokenSeconds = 21_600;
/** RFC 6749, section 4.1.2: ten minutes at most. */
const CODE_MS = 600_000;
/** Assumed; observed is only that there is a limit. */
const OTP_CALLS = 5;
const OTP_WINDOW_MS = 60_000;

export type SandboxState = ReturnType<typeof createState>;

export function createState(now: () => number) {
  const accounts = new Map<string, Account>();
  const accountsByEmail = new Map<string, Account>();
  const accessTokens = new Map<string, AccessToken>();
  // Of logins that wait for a one-time password.
  const waitingTokens = new Map<string, string[]>();
  const authorizations = new Map<string, Authorization>();
  // By what they are looked up by: a search through all of them took seconds with the tokens of a long list.
  const authorizationsByRefreshToken = new Map<string, Authorization>();
  const authorizationsOf = new Map<Account, Set<Authorization>>();
  const codes = new Map<string, CodeGrant & { expiresAt: number }>();
  const otpCalls = new Map<Account, number[]>();
  // The last time step whose code of an authenticator app was accepted.
  const usedSteps = new Map<Account, number>();

  /** A user exists in both regions; a token exists in the region that minted it. */
  function addUser(account: Partial<Account> = {}): Account {
    const id = account.id ?? crypto.randomUUID();
    const added = {
      email: `user-${accounts.size + 1}@example.com`,
      password: "example-password",
      ...account,
      id,
    };
    if (accounts.has(id) || findByEmail(added.email))
      throw new Error(`The user ${added.email} exists already.`);
    if (added.totp !== undefined) decodeSecret(added.totp);
    accounts.set(id, added);
    accountsByEmail.set(added.email.toLowerCase(), added);
    return added;
  }

  /** Ignores case, as the API does. */
  function findByEmail(email: string): Account | undefined {
    return accountsByEmail.get(email.toLowerCase());
  }

  /** The one-time password that the user would type now. */
  function oneTimePassword(userId: string): string {
    const { email, otpCode, totp } = account(userId);
    if (totp !== undefined) return codeAt(decodeSecret(totp), stepAt(now()));
    if (otpCode === undefined) throw new Error(`The user ${email} does not use one-time passwords.`);
    return otpCode;
  }

  /** Accepts the code of an authenticator app once, and no earlier one afterwards (RFC 6238, section 5.2). */
  function acceptsCode(user: Account, code: string): boolean {
    if (user.totp === undefined) return code === user.otpCode;
    const step = stepOfCode(decodeSecret(user.totp), code, now());
    if (step === undefined || step <= (usedSteps.get(user) ?? -1)) return false;
    usedSteps.set(user, step);
    return true;
  }

  /** Counts a call that sends a one-time password; returns the milliseconds to wait if there were too many. */
  function countOtpCall(user: Account): number {
    const recent = (otpCalls.get(user) ?? []).filter((time) => time > now() - OTP_WINDOW_MS);
    const [oldest = 0] = recent;
    if (recent.length >= OTP_CALLS) return oldest + OTP_WINDOW_MS - now();
    otpCalls.set(user, [...recent, now()]);
    return 0;
  }

  function account(userId: string): Account {
    const found = accounts.get(userId);
    if (found === undefined) throw new Error(`The user ${userId} does not exist.`);
    return found;
  }

  function mint(
    prefix: string,
    user: Account,
    region: Region,
    authorization?: Authorization,
    token = newToken(prefix),
  ): string {
    const expiresAt = now() + accessTokenSeconds * 1000;
    accessTokens.set(token, { token, user, region, expiresAt, ...(authorization && { authorization }) });
    authorization?.accessTokens.add(token);
    return token;
  }

  function login(userId: string, region: Region): string {
    const waiting = waitingTokens.get(`${userId} ${region}`)?.pop();
    return mint(loginPrefix(region), account(userId), region, undefined, waiting);
  }

  /** The token of a login that waits for its one-time password: refused until that is given. */
  function beginLogin(userId: string, region: Region): string {
    const token = newToken(loginPrefix(region));
    const key = `${userId} ${region}`;
    waitingTokens.set(key, [...(waitingTokens.get(key) ?? []), token]);
    return token;
  }

  function mintFor(authorization: Authorization): string {
    return mint("access_token", authorization.user, authorization.region, authorization);
  }

  function authorize(userId: string, region: Region) {
    const user = account(userId);
    const authorization: Authorization = {
      id: `authorization_sandbox-${crypto.randomUUID()}`,
      user,
      region,
      refreshToken: newToken("refresh_token"),
      accessTokens: new Set(),
    };
    authorizations.set(authorization.id, authorization);
    authorizationsByRefreshToken.set(authorization.refreshToken, authorization);
    authorizationsOf.set(user, (authorizationsOf.get(user) ?? new Set()).add(authorization));
    return { authorization, accessToken: mintFor(authorization) };
  }

  /** Grants an authorization code for one exchange. */
  function grantCode(grant: CodeGrant): string {
    account(grant.userId);
    const code = newToken("code");
    codes.set(code, { ...grant, expiresAt: now() + CODE_MS });
    return code;
  }

  /** Exchanges a code. Any attempt uses it up, so that verifiers cannot be guessed. */
  function exchange(code: string, verifier: string, redirectUri: unknown, region: Region) {
    const grant = codes.get(code);
    codes.delete(code);
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    const isRight =
      grant !== undefined &&
      grant.expiresAt > now() &&
      grant.region === region &&
      grant.codeChallenge === challenge &&
      (grant.redirectUri === undefined || grant.redirectUri === redirectUri);
    if (!isRight) return undefined;
    const { authorization, accessToken } = authorize(grant.userId, region);
    return { accessToken, refreshToken: authorization.refreshToken };
  }

  function addAccessToken(authorizationId: string): string {
    const authorization = authorizations.get(authorizationId);
    if (authorization === undefined) throw new Error(`The authorization ${authorizationId} does not exist.`);
    return mintFor(authorization);
  }

  /** Rotates: the refresh token that was used is dead afterwards. Earlier access tokens live on (assumed). */
  function refresh(refreshToken: string, region: Region) {
    const authorization = authorizationsByRefreshToken.get(refreshToken);
    if (authorization === undefined || authorization.region !== region) return undefined;
    authorizationsByRefreshToken.delete(refreshToken);
    authorization.refreshToken = newToken("refresh_token");
    authorizationsByRefreshToken.set(authorization.refreshToken, authorization);
    return { refreshToken: authorization.refreshToken, accessToken: mintFor(authorization) };
  }

  function findAccessToken(token: string, region: Region): AccessToken | undefined {
    const found = accessTokens.get(token);
    return found?.region === region && found.expiresAt > now() ? found : undefined;
  }

  /** Ends this access token and no other, not even the refresh token beside it (assumed). */
  function endAccessToken(token: string): void {
    accessTokens.delete(token);
  }

  /**
   * Ends every authorization of the user. There is one OAuth client, so that is all of "this client".
   * Assumed: per user and not client-wide, and within the region, since the back ends are separate.
   */
  function revoke(user: Account, region: Region): void {
    const ofUser = authorizationsOf.get(user) ?? new Set();
    for (const authorization of ofUser) {
      if (authorization.region !== region) continue;
      ofUser.delete(authorization);
      authorizations.delete(authorization.id);
      authorizationsByRefreshToken.delete(authorization.refreshToken);
      for (const token of authorization.accessTokens) accessTokens.delete(token);
    }
  }

  /** Refresh tokens never expire here: the documentation contradicts itself on how long they live. */
  function isAlive(token: string): boolean {
    const expiresAt = accessTokens.get(token)?.expiresAt;
    return expiresAt === undefined ? authorizationsByRefreshToken.has(token) : expiresAt > now();
  }

  return {
    addUser,
    findByEmail,
    findById: (userId: string) => accounts.get(userId),
    oneTimePassword,
    acceptsCode,
    countOtpCall,
    login,
    beginLogin,
    authorize,
    grantCode,
    exchange,
    addAccessToken,
    refresh,
    findAccessToken,
    endAccessToken,
    revoke,
    isAlive,
  };
}

/** `US_` was seen on login tokens of the US region. The other region's prefix is not known. */
const loginPrefix = (region: Region): string => (region === "us" ? "US" : "login");

const newToken = (prefix: string): string => `${prefix}_sandbox-${crypto.randomUUID()}`;
