/**
 * The options of a caller, and the rules for options and tokens; the rules for stored records are in `record.ts`. A
 * value that is refused is named and never quoted: it may be a secret.
 */
import { SessionError } from "./errors.ts";
import { fieldsOf } from "./json.ts";
import { type Grant, oneOf, type RecordTokens, type Region, type SessionRecord } from "./record.ts";
import type { TokenStore } from "./store.ts";
import { tokenProblem } from "./token-rule.ts";

/** Where the API is and who calls it. */
export interface BindingsOptions {
  /** Such as `https://dev.api.baanx.com`: https, or http on loopback. May have a path. */
  baseUrl: string;
  /** The public client key, sent as `x-client-key`: characters 0x21 to 0x7E. */
  clientKey: string;
  /** `us` sends `x-us-env: true`. Default: `international`. */
  region?: Region;
  /** Default: `globalThis.fetch`, looked up at each call. */
  fetch?: typeof globalThis.fetch;
  /**
   * Allows http to other hosts than loopback, where everyone on the network can read the tokens: for containers,
   * emulators and phones in development. Default: false.
   */
  allowInsecureRequests?: boolean;
  /**
   * Called with one line per request, answer, store call and event. The lines hold no token, client key or query.
   */
  debug?: ((line: string) => void) | undefined;
}

/** The tokens of one session. */
export interface SessionTokens {
  /** The bearer token, of characters 0x21 to 0x7E. */
  accessToken: string;
  /** Only OAuth authorizations have one. */
  refreshToken?: string | undefined;
  /**
   * The user's id, if known. Without it, any OAuth sign-in in the region supersedes a pending revoke, and no other tab
   * continues with a new sign-in.
   */
  userId?: string | undefined;
  /**
   * Lifetime of the access token in seconds from now, as the token endpoint says (`expires_in`). With it and `renew`,
   * calls renew from five minutes before the expiry on, or from half of the lifetime if that is shorter.
   */
  expiresIn?: number | undefined;
}

/**
 * Exchanges the refresh token for new tokens, usually by a server of the application. A result without `refreshToken`
 * keeps the old one.
 *
 * @param tokens - the tokens of the session, with its refresh token
 * @param options - `signal` is aborted after `timeout`; later tokens are still used, or ended
 * @returns the new tokens; `null` if the refresh token was refused (400 `invalid_grant`, 401 or 403), which ends the
 * session. A rejection means that nothing is known: the session stays, and `renew-failed` is emitted.
 */
export type Renew = (
  tokens: SessionTokens,
  options: { signal: AbortSignal },
) => SessionTokens | null | PromiseLike<SessionTokens | null>;

/** The options of a session. */
export interface SessionOptions extends BindingsOptions {
  /** Where the tokens are stored. Default: nowhere; the session lives in memory. */
  store?: TokenStore | undefined;
  /** Renews the tokens of an OAuth session. */
  renew?: Renew | undefined;
  /** Milliseconds for one whole ending: attempts, waits, bodies, store; above 0, at most 60,000. Default: 5,000. */
  timeout?: number;
  /** Further attempts of an ending on network errors, 429 and 5xx. Default: 2. */
  retries?: number;
  /**
   * Whether the tokens of an ending that the server has not confirmed stay in the store. `keep` (the default) keeps the
   * access token for `flush()`, with the refresh token if there is `renew`: on a shared computer, anyone who can read the
   * store can use it until then. `discard` writes a tombstone instead: there is one ending, from memory, and a token
   * that survives it lives until it expires.
   */
  onUnconfirmed?: "keep" | "discard";
}

/** Checked options, with their defaults. */
export type Config = Required<Omit<SessionOptions, "renew" | "store" | "debug">> & {
  origin: string;
  renew: Renew | undefined;
  store: TokenStore | undefined;
  debug: ((line: string) => void) | undefined;
};

/** The tokens and the kind of a new session. */
export interface NewSession extends SessionTokens {
  /** How the tokens were obtained; it decides which endpoint `end()` asks. */
  grant: Grant;
  /** Default: the region of the session's options. */
  region?: Region;
}

const isFunction = (value: unknown) => typeof value === "function";
const isString = (value: unknown) => typeof value === "string" && value !== "";
const isBetween = (least: number, most: number) => (value: unknown) =>
  typeof value === "number" && value >= least && value <= most;

/** The rule for each option, and the words for it. */
const optionRules = {
  baseUrl: [isString, "an https URL, such as https://dev.api.baanx.com"],
  clientKey: [
    (value: unknown) => !tokenProblem(value),
    'visible ASCII without spaces and quotes, and not "undefined"',
  ],
  region: [oneOf("international", "us"), '"international" or "us"'],
  grant: [oneOf("login", "oauth"), '"login" or "oauth"'],
  userId: [isString, "a string that is not empty"],
  expiresIn: [isBetween(Number.MIN_VALUE, 1e9), "a number of seconds above 0"],
  onUnconfirmed: [oneOf("keep", "discard"), '"keep" or "discard"'],
  timeout: [isBetween(Number.MIN_VALUE, 60_000), "a number of milliseconds above 0, at most 60,000"],
  retries: [(value: unknown) => Number.isInteger(value) && Number(value) >= 0, "a whole number, 0 or more"],
  allowInsecureRequests: [oneOf(true, false), "true or false"],
  fetch: [isFunction, "a function shaped like fetch"],
  renew: [isFunction, "a function that resolves to tokens or null"],
  debug: [isFunction, "a function that takes a line"],
  store: [
    (value: unknown) => ["read", "write", "remove"].every((method) => isFunction(fieldsOf(value)[method])),
    "an object with the methods read, write and remove, such as webStorageStore(() => localStorage)",
  ],
} as const satisfies Record<string, readonly [(value: unknown) => boolean, string]>;

/** Creates the error for an option: `problem` follows its name. */
export const invalid = (option: string, problem: string) =>
  new SessionError("invalid-option", `${option} ${problem}`);

/** @throws SessionError `invalid-option`, naming the first option that breaks its rule, or is missing */
export function check(options: { [Option in keyof typeof optionRules]?: unknown }): void {
  for (const [option, value] of Object.entries(options)) {
    const [isValid, must] = optionRules[option as keyof typeof optionRules];
    if (value === undefined || value === null || value === "")
      throw invalid(option, `is missing: it must be ${must}`);
    if (!isValid(value)) throw invalid(option, `must be ${must}`);
  }
}

/** @throws SessionError `invalid-option`, naming the token */
export function checkToken(option: string, value: unknown): void {
  const problem = tokenProblem(value);
  if (problem) throw invalid(option, problem);
}

const defined = <T extends object>(options: T): Partial<T> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;

const URL_PATTERN = /^(https?):\/\/((?:[^\s/:@[\]]+|\[[\da-f:.]+\])(?::\d+)?)(\/.*)?$/;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/;

/**
 * Normalises a base URL: case, default port and internationalised host name. React Native's URL lacks getters and
 * normalises nothing: case and port are normalised here as well.
 */
function normalised(given: string, isInsecureAllowed: boolean): { baseUrl: string; origin: string } {
  let url = /[\s\\@?#]/.test(given) ? "" : given;
  try {
    if (url) url = new URL(given).href ?? given;
  } catch {}
  const [, scheme = "", host = "", path = ""] =
    URL_PATTERN.exec(url.replace(/^[a-z]+:\/\/[^/]+/i, (origin) => origin.toLowerCase())) ?? [];
  if (!scheme)
    throw invalid(
      "baseUrl",
      `must be ${optionRules.baseUrl[1]}, without credentials, query, fragment and spaces`,
    );
  if (scheme === "http" && !LOOPBACK.test(host) && !isInsecureAllowed)
    throw invalid(
      "baseUrl",
      "must be https; http is for loopback, or for development with allowInsecureRequests: true",
    );
  const origin = `${scheme}://${host.replace(scheme === "https" ? /:443$/ : /:80$/, "")}`;
  return { origin, baseUrl: origin + path.replace(/\/$/, "") };
}

/**
 * Checks the options of a session, or of bindings, and fills in their defaults.
 *
 * @throws SessionError `invalid-option`, naming the option
 */
export function checkOptions(options: SessionOptions): Config {
  const given = fieldsOf(options) as unknown as SessionOptions;
  const { baseUrl, clientKey, region = "international", timeout = 5_000, retries = 2 } = given;
  const { onUnconfirmed = "keep", allowInsecureRequests = false, store, renew, debug, fetch } = given;
  check({ baseUrl, clientKey, region, timeout, retries, onUnconfirmed, allowInsecureRequests });
  check(defined({ store, renew, debug, fetch }));
  return {
    ...normalised(baseUrl, allowInsecureRequests),
    clientKey,
    region,
    timeout,
    retries,
    onUnconfirmed,
    allowInsecureRequests,
    renew,
    store,
    debug,
    // Looked up at each call: a polyfill or a test may come later than the session.
    fetch: fetch ?? ((input, init) => globalThis.fetch(input, init)),
  };
}

/** Renew so long before an access token expires, in ms, as the API's documentation advises. */
const RENEW_AHEAD_MS = 300_000;

/**
 * Returns tokens as a record stores them.
 *
 * @throws SessionError `invalid-option`, naming the token
 */
export function checkTokens(given: SessionTokens): RecordTokens {
  const { accessToken, refreshToken, userId, expiresIn } = given;
  checkToken("accessToken", accessToken);
  if (refreshToken !== undefined) checkToken("refreshToken", refreshToken);
  check(defined({ userId, expiresIn }));
  const lifetime = (expiresIn ?? 0) * 1_000;
  const renewAt = lifetime
    ? Math.round(Date.now() + lifetime - Math.min(RENEW_AHEAD_MS, lifetime / 2))
    : undefined;
  return { accessToken, refreshToken, renewAt };
}

/**
 * Returns the record of a new session.
 *
 * @param startedAt - in ms since the epoch
 * @throws SessionError `invalid-option`
 */
export function createRecord(given: NewSession, config: Config, startedAt: number): SessionRecord {
  const { grant, region = config.region, ...session } = fieldsOf(given) as unknown as NewSession;
  const tokens = checkTokens(session);
  check({ grant, region });
  return {
    v: 1,
    id: createId(),
    origin: config.origin,
    region,
    grant,
    userId: session.userId,
    startedAt,
    generation: 0,
    hasRefreshToken: tokens.refreshToken !== undefined,
    tokens,
  };
}

/** Unique, not secret; crypto.randomUUID is missing in React Native and on plain http. */
const createId = (): string => `${Date.now()}-${Math.random()}`;
