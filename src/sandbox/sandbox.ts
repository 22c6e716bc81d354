/**
 * The sandbox of the Baanx API, which is not Baanx: it keeps its sessions in memory and is true
 * to the specification. It puts state, endpoints, CORS and faults together; a port is left to `server.ts`.
 */
import { Hono } from "hono";
import { cors } from "hono/cors";
import { createFaults, type Fault, type FaultBindings } from "./faults.ts";
import { addRoutes, regionOf, type WrongOtp, wrongOtpAnswers } from "./routes.ts";
import { type Account, type CodeGrant, createState, type Region, type SentCode, type User } from "./state.ts";

export type { Fault } from "./faults.ts";

export interface RecordedRequest {
  method: string;
  path: string;
  authorization?: string;
  clientKey?: string;
  region: Region;
  /** Absent while the answer is in flight, and for good if the request was not answered. */
  status?: number;
}

/** The sandbox, as an application's tests see it. */
export interface Sandbox {
  /**
   * Answers in process. Rejects with the signal's reason on abort and with a `TypeError` on a dropped
   * connection; hands over every 3xx as it is, whatever `redirect` says.
   */
  fetch: typeof globalThis.fetch;
  /** The client key that is registered. */
  clientKey: string;
  /**
   * An accepted `x-secret-key` on `POST /v1/auth/oauth/token`. The client key is accepted there, too, and so is a request without such
   * header.
   */
  secretKey: string;
  /** A user who always exists. */
  user: User;
  /**
   * Adds a user. Without `otpCode` and `totp` the password alone completes a login.
   *
   * @throws Error if the id or the e-mail address, in any case, is taken; TypeError if `totp` is not a base32 secret
   */
  addUser(user?: Partial<Account>): User;
  /**
   * Returns the one-time password that a user would type now: `otpCode`, or the current code of the authenticator app.
   *
   * @throws Error if the user does not exist, or does not use one-time passwords
   */
  oneTimePassword(userId: string): string;
  /** Every one-time password that was sent, in order. */
  sentCodes: SentCode[];
  /** Mints the access token of a password login; by default of `user`, internationally. */
  login(userId?: string, region?: Region): { accessToken: string; userId: string };
  /** Mints the first tokens of a new OAuth authorization; by default of `user`, internationally. */
  authorize(
    userId?: string,
    region?: Region,
  ): { id: string; accessToken: string; refreshToken: string; userId: string };
  /**
   * Grants an authorization code, as the steps in the browser do; by default of `user`, internationally. It can be
   * exchanged once, within ten minutes, with the verifier of `codeChallenge` (RFC 7636, S256).
   */
  grantCode(grant: Pick<CodeGrant, "codeChallenge"> & Partial<CodeGrant>): string;
  /** Mints a further access token of an authorization. */
  addAccessToken(authorizationId: string): string;
  /** Ends an access token as time would: its refresh token lives on. */
  expire(accessToken: string): void;
  /** Returns whether the server accepts this access token (in its own region) or refresh token. */
  isAlive(token: string): boolean;
  /** Every request received, in order, without preflights. */
  requests: RecordedRequest[];
  /** Adds a fault, to be met by the requests that no earlier fault meets; returns what ends it. */
  misbehave(fault: Fault): () => void;
}

export interface SandboxApp extends Sandbox {
  /** The bare application. A dropped connection is a rejection, since a `Response` cannot express it. */
  app: Hono;
}

export interface SandboxOptions {
  /** Default `demo-client-key`. */
  clientKey?: string;
  /** Further client keys that are registered. */
  clientKeys?: readonly string[];
  /** Default `demo-secret-key`. */
  secretKey?: string;
  /**
   * The answer to a wrong one-time password: `challenge` (the default) is 200 with `isOtpRequired: true` again. Each
   * was observed at one production client.
   */
  wrongOtp?: WrongOtp;
  /** Called with each one-time password that is sent, instead of an SMS. */
  onCode?: (sent: SentCode) => void;
  /** Called with each request once it has its answer, or its connection is dropped; without a status then. */
  onRequest?: (request: RecordedRequest) => void;
  /** The clock by which tokens expire, in milliseconds; default `Date.now`. */
  now?: () => number;
}

/** @throws TypeError if `wrongOtp` is not one of its values */
export function createSandboxApp(options: SandboxOptions = {}): SandboxApp {
  const { clientKey = "demo-client-key", clientKeys = [], secretKey = "demo-secret-key" } = options;
  const { wrongOtp = "challenge" } = options;
  if (!wrongOtpAnswers.includes(wrongOtp))
    throw new TypeError('wrongOtp must be "challenge", 400 or 401 (numbers).');
  const state = createState(options.now ?? (() => Date.now()));
  const faults = createFaults();
  const requests: RecordedRequest[] = [];
  const sentCodes: SentCode[] = [];
  const sendCode = (sent: SentCode) => {
    sentCodes.push(sent);
    options.onCode?.(sent);
  };
  const user = state.addUser({
    id: "3f2b8a4e-5c1d-4f7a-9b60-0d9c1e2f3a4b",
    email: "ada@example.com",
    password: "example-password",
  });

  const app = new Hono();
  // Recording comes first and waits for nothing: a request is on the list as soon as fetch was called.
  app.use(async (c, next) => {
    if (c.req.method === "OPTIONS") return next();
    const recorded = record(c.req.raw);
    requests.push(recorded);
    try {
      await next();
      recorded.status = c.res.status;
    } finally {
      options.onRequest?.(recorded);
    }
  });
  app.use(
    cors({
      origin: "*",
      allowMethods: ["GET", "POST", "DELETE"],
      // Without a list, the headers that a preflight asks for: applications send headers of their own.
      exposeHeaders: ["Retry-After"],
    }),
  );
  app.use(faults.middleware);
  addRoutes(app, {
    state,
    clientKeys: new Set([clientKey, ...clientKeys]),
    secretKey,
    wrongOtp,
    sendCode,
  });
  // A dropped connection is thrown, and Hono would make a 500 of it.
  app.onError((error) => {
    throw error;
  });

  return {
    app,
    fetch: (input, init) => fetchInProcess(app, input, init),
    clientKey,
    secretKey,
    user: userOf(user),
    addUser: (added) => userOf(state.addUser(added)),
    login: (userId = user.id, region = "international") => ({
      accessToken: state.login(userId, region),
      userId,
    }),
    authorize: (userId = user.id, region = "international") => {
      const { authorization, accessToken } = state.authorize(userId, region);
      return { id: authorization.id, accessToken, refreshToken: authorization.refreshToken, userId };
    },
    oneTimePassword: state.oneTimePassword,
    grantCode: (grant) => state.grantCode({ userId: user.id, region: "international", ...grant }),
    addAccessToken: state.addAccessToken,
    expire: state.endAccessToken,
    isAlive: state.isAlive,
    sentCodes,
    requests,
    misbehave: faults.misbehave,
  };
}

async function fetchInProcess(app: Hono, ...[input, init]: Parameters<typeof fetch>): Promise<Response> {
  const own = init?.signal === undefined && input instanceof Request ? input.signal : init?.signal;
  const signal = own ?? new AbortController().signal;
  signal.throwIfAborted();
  // Without the signal: a Request that follows one adds a listener that it never removes.
  const request = new Request(input, { ...init, signal: null });
  const bindings: FaultBindings = { signal, caller: input };
  const answer = Promise.resolve(app.fetch(request, bindings));
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function record(request: Request): RecordedRequest {
  const authorization = request.headers.get("authorization");
  const clientKey = request.headers.get("x-client-key");
  return {
    method: request.method,
    path: new URL(request.url).pathname,
    region: regionOf(request),
    ...(authorization !== null && { authorization }),
    ...(clientKey !== null && { clientKey }),
  };
}

function userOf({ id, email, password }: Account): User {
  return { id, email, password };
}
