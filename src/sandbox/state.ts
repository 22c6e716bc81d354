/**
 * What the sandbox remembers: users, access tokens and OAuth authorizations. It decides which
 * token is alive, in memory and without HTTP; statuses and bodies are left to `routes.ts`.
 */

/** Which back end: each has sessions of its own. */
export type Region = "international" | "us";

export interface User {
  id: string;
  email: string;
  password: string;
}

export interface Account extends User {
  /** When set, a login is complete only with this one-time password, and `POST /v1/auth/login/otp` sends it. */
  otpCode?: string;
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

export const accessTokenSeconds = 21_600;

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
    accounts.set(id, added);
    accountsByEmail.set(added.email, added);
    return added;
  }

  function findByEmail(email: string): Account | undefined {
    return accountsByEmail.get(email);
  }

  function account(userId: string): Account {
    const found = accounts.get(userId);
    if (found === undefined) throw new Error(`There is no user ${userId}.`);
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

  /** `US_` is the only prefix seen on tokens of a password login, whatever the region. */
  function login(userId: string, region: Region): string {
    const waiting = waitingTokens.get(`${userId} ${region}`)?.pop();
    return mint("US", account(userId), region, undefined, waiting);
  }

  /** The token of a login that waits for its one-time password: refused until that is given. */
  function beginLogin(userId: string, region: Region): string {
    const token = newToken("US");
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
      refreshToken: newRefreshToken(),
      accessTokens: new Set(),
    };
    authorizations.set(authorization.id, authorization);
    authorizationsByRefreshToken.set(authorization.refreshToken, authorization);
    authorizationsOf.set(user, (authorizationsOf.get(user) ?? new Set()).add(authorization));
    return { authorization, accessToken: mintFor(authorization) };
  }

  function addAccessToken(authorizationId: string): string {
    const authorization = authorizations.get(authorizationId);
    if (authorization === undefined) throw new Error(`There is no authorization ${authorizationId}.`);
    return mintFor(authorization);
  }

  /** Rotates: the refresh token that was used is dead afterwards. Earlier access tokens live on (assumed). */
  function refresh(refreshToken: string, region: Region) {
    const authorization = findByRefreshToken(refreshToken);
    if (authorization === undefined || authorization.region !== region) return undefined;
    authorizationsByRefreshToken.delete(refreshToken);
    authorization.refreshToken = newRefreshToken();
    authorizationsByRefreshToken.set(authorization.refreshToken, authorization);
    return { refreshToken: authorization.refreshToken, accessToken: mintFor(authorization) };
  }

  function findByRefreshToken(refreshToken: string): Authorization | undefined {
    return authorizationsByRefreshToken.get(refreshToken);
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
    return expiresAt === undefined ? findByRefreshToken(token) !== undefined : expiresAt > now();
  }

  return {
    addUser,
    findByEmail,
    findById: (userId: string) => accounts.get(userId),
    login,
    beginLogin,
    authorize,
    addAccessToken,
    refresh,
    findAccessToken,
    endAccessToken,
    revoke,
    isAlive,
  };
}

function newToken(prefix: string): string {
  return `${prefix}_sandbox-${crypto.randomUUID()}`;
}

function newRefreshToken(): string {
  return newToken("refresh_token");
}
