/**
 * The half of an OAuth sign-in that runs in the page: PKCE (RFC 7636), the way back from the authorization page, and
 * `renew`. The exchanges themselves are made by `server.ts`.
 */
import type { Renew, Session, SessionTokens } from "baanx-session";

export interface SignInSettings {
  /** The authorization page, as it was agreed with the provider. */
  authorizeUrl: string;
  /** The client key is the client id, too. */
  clientKey: string;
  /** The page of yours that calls `finishSignIn`. It must be registered with the provider. */
  redirectUri: string;
  /** The route of `server.ts`. */
  tokensUrl: string;
}

/** Where the page keeps two secrets of a sign-in until the user is back; `sessionStorage` is of one tab. */
type PageStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

const KEY = "oauth-sign-in";

/** Returns the address to send the user to, such as by `location.assign`. */
export async function beginSignIn(
  { authorizeUrl, clientKey, redirectUri }: SignInSettings,
  storage: PageStorage = sessionStorage,
): Promise<string> {
  const [state, verifier] = [randomText(), randomText()];
  storage.setItem(KEY, JSON.stringify({ state, verifier }));
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const url = new URL(authorizeUrl);
  const parameters = {
    response_type: "code",
    client_id: clientKey,
    redirect_uri: redirectUri,
    state,
    code_challenge: base64url(new Uint8Array(hash)),
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** `not-ours`: this tab did not begin the sign-in, or has finished it. `refused`: begin again. */
export type SignInResult = "signed-in" | "not-ours" | "refused" | "unavailable";

/**
 * Exchanges the code of the redirect, and starts the session. Remove the code from the address bar afterwards.
 *
 * @param address - of the page that the provider has redirected to
 */
export async function finishSignIn(
  { redirectUri, tokensUrl }: SignInSettings,
  session: Session,
  address: string,
  storage: PageStorage = sessionStorage,
): Promise<SignInResult> {
  const { searchParams } = new URL(address);
  const kept: { state?: string; verifier?: string } = JSON.parse(storage.getItem(KEY) ?? "{}");
  // Once: a page that is loaded again must not send the code again.
  storage.removeItem(KEY);
  if (!kept.state || searchParams.get("state") !== kept.state) return "not-ours";
  const code = searchParams.get("code");
  if (!code) return "refused";
  try {
    const tokens = await exchange(tokensUrl, { code, verifier: kept.verifier, redirectUri });
    if (!tokens) return "refused";
    await session.start({ ...tokens, grant: "oauth" });
    return "signed-in";
  } catch {
    return "unavailable";
  }
}

/** Returns the `renew` of a session: `null` if the refresh token was refused, a rejection if nothing is known. */
export const renewBy =
  (tokensUrl: string): Renew =>
  ({ refreshToken }, { signal }) =>
    exchange(tokensUrl, { refreshToken }, signal);

/** @returns `null` for a refusal; @throws Error if nothing is known */
async function exchange(url: string, body: object, signal?: AbortSignal): Promise<SessionTokens | null> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
  const answer = await response.json();
  // Its body, too: anything between the page and the server may answer 401.
  if (response.status === 401 && answer.error === "refused") return null;
  if (!response.ok) throw new Error(`status ${response.status}`);
  return answer;
}

/** 32 random bytes: 43 characters. */
const randomText = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

const base64url = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
