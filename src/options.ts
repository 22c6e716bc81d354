/**
 * What a caller may configure, and what an option or a token must be; what a stored record must be is
 * in `record.ts`. A value that is refused is named and never quoted: it may be a secret.
 */
import { SessionError } from "./errors.ts";
import { CREDENTIAL, type Grant, type Region } from "./record.ts";
import type { TokenStore } from "./store.ts";

/** Where the API is and who calls it. */
export interface BindingsOptions {
  /** Such as `https://dev.api.baanx.com`: https, or http on loopback only. May have a path. */
  baseUrl: string;
  /** The public client key, sent as `x-client-key`: characters 0x21 to 0x7E. */
  clientKey: string;
  /** `us` sends `x-us-env: true`. Default: `international`. */
  region?: Region;
  /** Default: `globalThis.fetch`, looked up at each call. */
  fetch?: typeof globalThis.fetch;
}

/** The tokens of one session. */
export interface SessionTokens {
  /** The bearer token, of characters 0x21 to 0x7E. */
  accessToken: string;
  /** Only OAuth authorizations have one. */
  refreshToken?: string | undefined;
  /**
   * The user's id, where it is known. Without it a pending revocation is given up at any OAuth sign-in in its region,
   * and no other tab goes on with a new sign-in.
   */
  userId?: string | undefined;
  /**
   * How long the access token lives, in seconds from now, as the token endpoint says (`expires_in`). Where it is known
   * and there is a `renew`, calls renew from five minutes before its end on.
   */
  expiresIn?: number | undefined;
}

/**
 * Exchanges the refresh token for new tokens, usually by a server of the application's own, which alone
 * knows the secret key that the API wants for it. A result without `refreshToken` keeps the old one.
 *
 * @param tokens - those of the session, with its refresh token
 * @param options - `signal` is aborted after `timeout`; what comes later is still taken over, or ended
 * @returns the new tokens; `null` when the refresh token was refused, which ends the session. A rejection
 * means that nothing is known: the session stays.
 */
export type Renew = (
  tokens: SessionTokens,
  options: { signal: AbortSignal },
) => SessionTokens | null | PromiseLike<SessionTokens | null>;

/** The options of a session. */
export interface SessionOptions extends BindingsOptions {
  /** Where the tokens are kept. Default: `memoryStore()`. */
  store?: TokenStore;
  /**
   * Called once for all who wait, where there is a refresh token: at a 401 to a data call or a revocation, and from
   * five minutes before the end of a token whose `expiresIn` is known. Default: a 401 ends the session.
   */
  renew?: Renew | undefined;
  /** Milliseconds for one whole ending: attempts, waits, bodies, store. Default: 5000. */
  timeout?: number;
  /** Further attempts of an ending on network errors, 429 and 5xx. Default: 2. */
  retries?: number;
  /**
   * What becomes of an access token whose end the server has not confirmed. `keep` (the default) leaves it in the store
   * for `flush()` until it is confirmed dead or six hours old, with its refresh token where there is `renew`: on a
   * shared computer, whoever can read the store can use it until then. `discard` never writes it down: there is one
   * ending, from memory, and a token that survives it lives until it expires.
   */
  onUnconfirmed?: "keep" | "discard";
}

/** Options that were checked, with their defaults. */
export type Config = Required<Omit<SessionOptions, "renew" | "store">> & {
  origin: string;
  renew: Renew | undefined;
};

/** What `start()` takes. */
export interface NewSession extends SessionTokens {
  /** How the tokens came to be; `end()` goes by it. */
  grant: Grant;
  /** Default: the region of the session's options. */
  region?: Region;
}

const credential = [CREDENTIAL, "visible ASCII characters without spaces"] as const;
const url = "an https URL, or http on loopback, without credentials, query and fragment";

/** The form that each text must have, by the name of its option, and the words for it. */
const forms = {
  baseUrl: [/^https?:\/\/[^\s\\@?#]+$/i, url],
  clientKey: credential,
  accessToken: credential,
  refreshToken: credential,
  userId: [/./, "a text that is not empty"],
  region: [/^(international|us)$/, "international or us"],
  grant: [/^(login|oauth)$/, "login or oauth"],
  onUnconfirmed: [/^(keep|discard)$/, "keep or discard"],
} as const;

export const invalid = (option: string, must: string) =>
  new SessionError("invalid-option", `${option} must be ${must}`);

/**
 * Checks that each text has the form of its name.
 *
 * @throws SessionError `invalid-option`
 */
export function check(texts: { [Option in keyof typeof forms]?: unknown }): void {
  for (const [option, text] of Object.entries(texts)) {
    const [form, must] = forms[option as keyof typeof forms];
    if (typeof text !== "string" || !form.test(text)) throw invalid(option, must);
  }
}

/**
 * The origin of a base URL, as a Request writes it, so that it can be compared with one. Not left to
 * `URL`, whose getters React Native does not have.
 */
function originOf(baseUrl: string): string {
  try {
    const { url } = new Request(baseUrl);
    const [origin] =
      /^(https:|http:(?=\/\/(localhost|127(\.\d+){3}|\[::1\])(?![^:/])))\/\/[^/]+/.exec(url) ?? [];
    if (origin) return origin;
  } catch {}
  throw invalid("baseUrl", url);
}

/**
 * Checks the options of a session, or of bindings, and fills in their defaults.
 *
 * @throws SessionError `invalid-option`
 */
export function checkOptions(options: SessionOptions): Config {
  const { baseUrl, clientKey, region = "international", timeout = 5_000, retries = 2 } = options;
  const { onUnconfirmed = "keep", renew } = options;
  // Looked up at each call: a polyfill or a test may come later than the session.
  const { fetch = (input, init) => globalThis.fetch(input, init) } = options;
  check({ baseUrl, clientKey, region, onUnconfirmed });
  // setTimeout fires at once when it is given more.
  if (!Number.isFinite(timeout) || timeout <= 0 || timeout >= 2 ** 31)
    throw invalid("timeout", "a number of milliseconds above 0 and below 2^31");
  if (!Number.isInteger(retries) || retries < 0) throw invalid("retries", "a whole number, 0 or more");
  return {
    baseUrl,
    origin: originOf(baseUrl),
    clientKey,
    region,
    timeout,
    retries,
    onUnconfirmed,
    renew,
    fetch,
  };
}
