/**
 * The sandbox: the session rules of the specification and the faults, each in process and over TCP.
 * It tests the sandbox against its documentation, and proves nothing about Baanx.
 */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createSandboxApp, type SandboxApp } from "../src/sandbox/sandbox.ts";
import { type RunningServer, type Served, startServer } from "../src/sandbox/server.ts";
import { useFakeTime, within } from "./support.ts";

// Saved before a server starts.
const own = { Request: globalThis.Request, Response: globalThis.Response };

let provider: SandboxApp;
let now: number;

beforeEach(() => {
  now = 1_000_000;
  provider = createSandboxApp({ clientKeys: ["second-key"], now: () => now });
});

/** The answer to a complete login, except for its token and its user. */
const complete = {
  isOtpRequired: false,
  phoneNumber: null,
  phase: null,
  verificationState: "VERIFIED",
  isLinked: false,
};

type Init = Omit<RequestInit, "headers"> & { headers?: Record<string, string>; token?: string };

const ways = [{ way: "in process" }, { way: "over TCP" }] as const;

describe.each(ways)("the sandbox $way", ({ way }) => {
  let server: RunningServer;

  // One port for all tests, with the application of the current test.
  beforeAll(async () => {
    const app: Served["app"] = { fetch: (...args) => provider.app.fetch(...args) };
    server = await startServer({ app });
  });

  afterAll(() => server.close());

  function send(method: string, path: string, { token, headers, ...init }: Init = {}): Promise<Response> {
    const all = {
      "x-client-key": provider.clientKey,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    };
    const options: RequestInit = { redirect: "manual", ...init, method, headers: all };
    return way === "in process"
      ? provider.fetch(`http://provider.test${path}`, options)
      : fetch(`${server.url}${path}`, options);
  }

  const getUser = (token: string, headers = {}) => send("GET", "/v1/user", { token, headers });
  const logout = (token: string, init: Init = {}) => send("POST", "/v1/auth/logout", { token, ...init });
  const revoke = (token: string, headers = {}) => send("DELETE", "/v1/auth/oauth/revoke", { token, headers });
  const logIn = (body: unknown, headers = {}) =>
    send("POST", "/v1/auth/login", { body: typeof body === "string" ? body : JSON.stringify(body), headers });
  const sendOtp = (body: string) => send("POST", "/v1/auth/login/otp", { body });
  const renew = (body: unknown, headers: Record<string, string> = { "x-secret-key": provider.secretKey }) =>
    send("POST", "/v1/auth/oauth/token", { body: JSON.stringify(body), headers });
  const us = { "x-us-env": "true" };

  describe("the client key", () => {
    it("gets 499 if it is missing, before any other check", async () => {
      const response = await send("GET", "/v1/user", { headers: { "x-client-key": "" } });
      expect(await answerOf(response)).toEqual([499, { message: "Missing client key" }]);
    });

    it("gets 498 if it is unknown, before the token is checked", async () => {
      const { accessToken } = provider.login();
      const response = await logout(accessToken, { headers: { "x-client-key": "unknown" } });
      expect(await answerOf(response)).toEqual([498, { message: "Invalid client key" }]);
      expect(provider.isAlive(accessToken)).toBe(true);
    });

    it("can be any registered key", async () => {
      const { accessToken } = provider.login();
      expect((await getUser(accessToken, { "x-client-key": "second-key" })).status).toBe(200);
    });
  });

  describe("authorization", () => {
    it("shows the user of a login and of an OAuth token", async () => {
      const user = provider.addUser({ email: "grace@example.com" });
      for (const { accessToken } of [provider.login(user.id), provider.authorize(user.id)]) {
        const [status, body] = await answerOf(await getUser(accessToken));
        expect(status).toBe(200);
        expect(body).toMatchObject({ id: user.id, verificationState: "VERIFIED" });
      }
    });

    it("accepts exactly one bearer token, with the scheme in any case", async () => {
      const { accessToken } = provider.login();
      const status = async (authorization: string) =>
        (await send("GET", "/v1/user", { headers: { authorization } })).status;
      expect(await status(`bEARER ${accessToken}`)).toBe(200);
      expect(await status(accessToken)).toBe(401);
      expect(await status(`Basic ${accessToken}`)).toBe(401);
      expect(await status(`Bearer ${accessToken}, Bearer ${accessToken}`)).toBe(401);
      expect(await status(`Bearer ${accessToken} ${accessToken}`)).toBe(401);
    });

    it("answers 401 to no token, an unknown token and a refresh token", async () => {
      const { refreshToken } = provider.authorize();
      for (const response of [send("GET", "/v1/user"), getUser("unknown"), getUser(refreshToken)])
        expect(await answerOf(await response)).toEqual([401, { message: "Not authenticated" }]);
    });

    it("accepts an access token for six hours", async () => {
      const { accessToken } = provider.login();
      now += 21_600_000 - 1;
      expect([(await getUser(accessToken)).status, provider.isAlive(accessToken)]).toEqual([200, true]);
      now += 1;
      expect([(await getUser(accessToken)).status, provider.isAlive(accessToken)]).toEqual([401, false]);
    });

    it("accepts a token in its own region only, by header or by query", async () => {
      const international = provider.login().accessToken;
      const american = provider.login(provider.user.id, "us").accessToken;
      expect((await getUser(international)).status).toBe(200);
      expect((await getUser(international, us)).status).toBe(401);
      expect((await getUser(american, us)).status).toBe(200);
      expect((await send("GET", "/v1/user?region=us", { token: american })).status).toBe(200);
      expect((await logout(american)).status).toBe(401);
      expect(provider.isAlive(american)).toBe(true);
    });
  });

  describe("logout", () => {
    it("ends only this login, and answers 401 the second time", async () => {
      const { accessToken } = provider.login();
      const other = provider.login();
      expect(await answerOf(await logout(accessToken))).toEqual([200, { success: true }]);
      expect((await getUser(accessToken)).status).toBe(401);
      expect((await logout(accessToken)).status).toBe(401);
      expect((await getUser(other.accessToken)).status).toBe(200);
    });

    it("ends one access token of an authorization and leaves the others, the refresh token and logins", async () => {
      const { id, accessToken, refreshToken } = provider.authorize();
      const further = [provider.addAccessToken(id), refreshToken, provider.login().accessToken];
      // One production client sends an empty object as the body, also without a token.
      expect((await logout(accessToken, { body: "{}" })).status).toBe(200);
      expect([accessToken, ...further].map(provider.isAlive)).toEqual([false, true, true, true]);
      expect((await send("POST", "/v1/auth/logout", { body: "{}" })).status).toBe(401);
    });
  });

  describe("revoke", () => {
    it("ends every token of every authorization of this user, and leaves logins and other users", async () => {
      const first = provider.authorize();
      const second = provider.authorize();
      const further = provider.addAccessToken(first.id);
      const login = provider.login();
      const stranger = provider.authorize(provider.addUser().id);

      expect(await answerOf(await revoke(first.accessToken))).toEqual([200, { success: true }]);
      const dead = [first.accessToken, first.refreshToken, further, second.accessToken, second.refreshToken];
      expect(dead.filter(provider.isAlive)).toEqual([]);
      const alive = [login.accessToken, stranger.accessToken, stranger.refreshToken];
      expect(alive.filter(provider.isAlive)).toEqual(alive);
      expect((await revoke(first.accessToken)).status).toBe(401);
      expect(() => provider.addAccessToken(first.id)).toThrow(/^The authorization .* does not exist/);
    });

    it("stays within its region", async () => {
      const international = provider.authorize();
      const american = provider.authorize(provider.user.id, "us");
      expect((await revoke(american.accessToken, us)).status).toBe(200);
      expect(provider.isAlive(american.refreshToken)).toBe(false);
      expect(provider.isAlive(international.refreshToken)).toBe(true);
    });

    it("answers 403 to the token of a login and ends nothing", async () => {
      const { accessToken } = provider.login();
      const { refreshToken } = provider.authorize();
      expect((await revoke(accessToken)).status).toBe(403);
      expect([accessToken, refreshToken].map(provider.isAlive)).toEqual([true, true]);
    });

    it("answers 401 to an expired access token and leaves the refresh token alive", async () => {
      const { accessToken, refreshToken } = provider.authorize();
      now += 21_600_000;
      expect((await revoke(accessToken)).status).toBe(401);
      expect(provider.isAlive(refreshToken)).toBe(true);
    });
  });

  describe("login", () => {
    it("mints a token of the requested region", async () => {
      const { id, email, password } = provider.user;
      const [status, body] = await answerOf(await logIn({ email, password }, us));
      expect(status).toBe(200);
      const accessToken = expect.stringMatching(/^US_sandbox-[\w-]{36}$/);
      expect(body).toEqual({ ...complete, accessToken, userId: id });
      expect((await getUser(body.accessToken, us)).status).toBe(200);
    });

    it("stays incomplete without the user's one-time password, and its token is refused", async () => {
      const { id, email, password } = provider.addUser({ otpCode: "123456" });
      const [status, body] = await answerOf(await logIn({ email, password }));
      expect(status).toBe(200);
      const accessToken = expect.stringMatching(/^login_sandbox-/);
      const challenge = { accessToken, userId: id, isOtpRequired: true, phoneNumber: expect.any(String) };
      expect(body).toEqual({ ...complete, ...challenge });
      expect((await getUser(body.accessToken)).status).toBe(401);
      expect((await logout(body.accessToken)).status).toBe(401);
      expect(provider.isAlive(body.accessToken)).toBe(false);
    });

    it("completes with the one-time password, in the region of the login", async () => {
      const { email, password } = provider.addUser({ otpCode: "123456" });
      const { accessToken: waiting } = await (await logIn({ email, password }, us)).json();
      const international = await (await logIn({ email, password, otpCode: "123456" })).json();
      expect((await getUser(international.accessToken)).status).toBe(200);
      expect((await getUser(waiting, us)).status).toBe(401);
      // "Not valid until the code is given": the same token becomes valid.
      const american = await (await logIn({ email, password, otpCode: "123456" }, us)).json();
      expect(american).toMatchObject({ accessToken: waiting, isOtpRequired: false });
      expect((await getUser(waiting, us)).status).toBe(200);
      const another = await (await logIn({ email, password, otpCode: "123456" }, us)).json();
      expect(another.accessToken).not.toBe(waiting);
    });

    it("sends its one-time password on request, to users who have one", async () => {
      const { id, email } = provider.addUser({ otpCode: "123456" });
      const send = (body: unknown) => sendOtp(JSON.stringify(body));
      const before = provider.sentCodes.length;
      expect(await answerOf(await send({ userId: id }))).toEqual([200, { success: true }]);
      for (const body of [{}, null, { userId: 1 }, { userId: "unknown" }, { userId: provider.user.id }])
        expect((await send(body)).status).toBe(400);
      expect(provider.sentCodes.slice(before)).toEqual([{ userId: id, email, otpCode: "123456" }]);
    });

    it("treats null and an empty string as no one-time password", async () => {
      const { email, password } = provider.addUser({ otpCode: "123456" });
      for (const otpCode of [null, ""]) {
        const body = await (await logIn({ email, password, otpCode })).json();
        expect(body).toMatchObject({ isOtpRequired: true });
        const alone = await (await logIn({ ...provider.user, otpCode })).json();
        expect(alone).toMatchObject({ isOtpRequired: false, accessToken: expect.any(String) });
      }
      expect((await logIn({ email, password, otpCode: 123_456 })).status).toBe(422);
    });

    it.each([
      { wrongOtp: undefined, status: 200, answered: { isOtpRequired: true, phase: null } },
      { wrongOtp: "challenge", status: 200, answered: { isOtpRequired: true, phase: null } },
      { wrongOtp: 401, status: 401, answered: { message: "Invalid OTP code" } },
      { wrongOtp: 400, status: 400, answered: { message: "Invalid OTP code" } },
    ] as const)("answers a wrong one-time password according to wrongOtp: $wrongOtp", async (row) => {
      provider = createSandboxApp({ ...(row.wrongOtp && { wrongOtp: row.wrongOtp }) });
      const { email, password } = provider.addUser({ otpCode: "123456" });
      const [status, body] = await answerOf(await logIn({ email, password, otpCode: "000000" }));
      expect(status).toBe(row.status);
      expect(body).toMatchObject(row.answered);
      if (body.accessToken) expect(provider.isAlive(body.accessToken)).toBe(false);
      const right = await logIn({ email, password, otpCode: "123456" });
      expect(await right.json()).toMatchObject({ isOtpRequired: false });
    });

    it("accepts each code of an authenticator app once, with a clock up to one step off", async () => {
      now = 1_700_000_015_000;
      const { id, email, password } = provider.addUser({ totp: "GEZDGNBVGY3TQOJQ" });
      const isComplete = async (otpCode: string) =>
        (await (await logIn({ email, password, otpCode })).json()).isOtpRequired === false;
      const code = (steps: number) => {
        now += steps * 30_000;
        const made = provider.oneTimePassword(id);
        now -= steps * 30_000;
        return made;
      };
      expect(await (await logIn({ email, password })).json()).toMatchObject({ isOtpRequired: true });
      expect(await isComplete(code(-2))).toBe(false);
      expect(await isComplete(code(2))).toBe(false);
      expect(await isComplete(code(-1))).toBe(true);
      expect(await isComplete(code(0))).toBe(true);
      expect(await isComplete(code(0))).toBe(false);
      expect(await isComplete(code(-1))).toBe(false);
      expect(await isComplete(code(1))).toBe(true);
      now += 30_000;
      expect(await isComplete(code(0))).toBe(false);
    });

    it("accepts the call for a code of a user with an authenticator app, and sends nothing", async () => {
      const { id } = provider.addUser({ totp: "GEZDGNBVGY3TQOJQ" });
      const sent = await sendOtp(JSON.stringify({ userId: id }));
      expect(await answerOf(sent)).toEqual([200, { success: true }]);
      expect(provider.sentCodes).toEqual([]);
    });

    it("limits the one-time passwords of a user, and names the time of the next one", async () => {
      const { id } = provider.addUser({ otpCode: "123456" });
      const other = provider.addUser({ otpCode: "123456" });
      const send = (userId = id) => sendOtp(JSON.stringify({ userId }));
      for (let call = 0; call < 5; call += 1) {
        expect((await send()).status).toBe(200);
        now += 1_000;
      }
      const refused = await send();
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "55"]);
      expect((await send(other.id)).status).toBe(200);
      expect(provider.sentCodes).toHaveLength(6);
      now += 55_000;
      expect((await send()).status).toBe(200);
      expect((await send()).status).toBe(429);
    });

    it.each([
      "ACCOUNT",
      "PHONE_NUMBER",
      "PERSONAL_INFORMATION",
      "PHYSICAL_ADDRESS",
      "MAILING_ADDRESS",
    ] as const)(
      "names the missing step %s without a token, together with a one-time password",
      async (phase) => {
        for (const more of [{}, { otpCode: "123456" }]) {
          const { email, password } = provider.addUser({ phase, ...more });
          const answer = { accessToken: null, isOtpRequired: "otpCode" in more, phase };
          expect(await (await logIn({ email, password })).json()).toMatchObject(answer);
        }
      },
    );

    it("refuses locked and disabled users with different messages", async () => {
      for (const [user, words] of [
        [provider.addUser({ isLocked: true }), "locked"],
        [provider.addUser({ isDisabled: true }), "account has been disabled"],
      ] as const) {
        const refused = { message: expect.stringContaining(words) };
        expect(await answerOf(await logIn(user))).toEqual([401, refused]);
        // Only for callers with the password.
        const guessed = await logIn({ email: user.email, password: "wrong" });
        expect(await guessed.json()).toEqual({ message: "Invalid credentials" });
      }
    });

    it("ignores the case of an e-mail address, and keeps it in the profile", async () => {
      const user = provider.addUser({ email: "Grace@Example.com" });
      const loggedIn = await logIn({ email: "gRACE@example.COM", password: user.password });
      const { accessToken } = await loggedIn.json();
      const profile = { id: user.id, email: "Grace@Example.com", verificationState: "VERIFIED" };
      expect(await (await getUser(accessToken)).json()).toEqual(profile);
      expect(() => provider.addUser({ email: "grace@example.com" })).toThrow("exists already");
    });

    it("fails with a stale bearer token, and not with an accepted one", async () => {
      const { accessToken } = provider.login();
      const authorization = `Bearer ${accessToken}`;
      expect((await logIn(provider.user, { authorization })).status).toBe(200);
      provider.expire(accessToken);
      const refused = await logIn(provider.user, { authorization });
      expect(await answerOf(refused)).toEqual([400, { message: "Missing User Data" }]);
      const { id } = provider.addUser({ otpCode: "123456" });
      const body = JSON.stringify({ userId: id });
      const otp = await send("POST", "/v1/auth/login/otp", { body, headers: { authorization } });
      expect(await otp.json()).toEqual({ message: "Missing User Data" });
    });

    it("reads x-us-env: false as the international region", async () => {
      const { accessToken } = await (await logIn(provider.user, { "x-us-env": "false" })).json();
      expect(accessToken).not.toMatch(/^US_/);
      expect((await getUser(accessToken)).status).toBe(200);
    });

    it("answers 401 to wrong credentials and 400 to an invalid login", async () => {
      const { email, password } = provider.user;
      expect((await logIn({ email, password: "wrong" })).status).toBe(401);
      expect((await logIn({ email: "unknown@example.com", password })).status).toBe(401);
      for (const body of ["", "{", "null", "[]", { email }, { email, password: 1 }]) {
        expect((await logIn(body)).status).toBe(400);
      }
    });
  });

  describe("the refresh grant", () => {
    it("mints a new pair and ends the used refresh token", async () => {
      const { accessToken, refreshToken } = provider.authorize();
      const spend = () => renew({ grant_type: "refresh_token", refresh_token: refreshToken });
      const [status, body] = await answerOf(await spend());
      expect(status).toBe(200);
      expect(body).toMatchObject({ expires_in: 21_600 });
      const tokens = [body.access_token, body.refresh_token, accessToken, refreshToken];
      expect(tokens.map(provider.isAlive)).toEqual([true, true, true, false]);
      expect((await spend()).status).toBe(400);
      await revoke(body.access_token);
      expect(tokens.filter(provider.isAlive)).toEqual([]);
    });

    it.each([
      { credentials: "no secret", headers: {} },
      { credentials: "the client key as the secret", headers: { "x-secret-key": "demo-client-key" } },
      { credentials: "the secret key", headers: { "x-secret-key": "demo-secret-key" } },
    ])("accepts $credentials, as production clients send it", async ({ headers }) => {
      const { refreshToken } = provider.authorize();
      const body = { grant_type: "refresh_token", refresh_token: refreshToken };
      expect((await renew(body, headers)).status).toBe(200);
    });

    it("refuses another secret, another client, the other region and another grant, and ends nothing", async () => {
      const { refreshToken } = provider.authorize();
      const body = { grant_type: "refresh_token", refresh_token: refreshToken };
      const error = async (response: Response) => [response.status, (await response.json()).error];
      expect(await error(await renew(body, { "x-secret-key": "made-up" }))).toEqual([401, "invalid_client"]);
      expect(await error(await renew({ ...body, client_id: "another" }))).toEqual([401, "invalid_client"]);
      expect(await error(await renew(body, us))).toEqual([400, "invalid_grant"]);
      for (const grant_type of ["password", "constructor", undefined])
        expect(await error(await renew({ ...body, grant_type }))).toEqual([400, "unsupported_grant_type"]);
      expect(provider.isAlive(refreshToken)).toBe(true);
    });
  });

  describe("the code grant", () => {
    const verifier = "example-verifier-of-the-code-grant-43-chars";
    // Its SHA-256 hash.
    const codeChallenge = createHash("sha256").update(verifier).digest("base64url");
    const exchange = (code: string, more = {}, headers = {}) =>
      renew({ grant_type: "authorization_code", code, code_verifier: verifier, ...more }, headers);

    it("exchanges a code once for the first tokens of an authorization", async () => {
      const { id } = provider.addUser();
      const code = provider.grantCode({ codeChallenge, userId: id, region: "us" });
      // One production client sends its client key as the secret.
      const first = await exchange(code, {}, { ...us, "x-secret-key": provider.clientKey });
      const [status, body] = await answerOf(first);
      expect(status).toBe(200);
      expect(body).toEqual({
        access_token: expect.stringMatching(/^access_token_/),
        expires_in: 21_600,
        refresh_token: expect.any(String),
        refresh_token_expires_in: 15_897_600,
      });
      expect(await (await getUser(body.access_token, us)).json()).toMatchObject({ id });
      expect((await exchange(code, {}, us)).status).toBe(400);
      expect((await revoke(body.access_token, us)).status).toBe(200);
      expect(provider.isAlive(body.refresh_token)).toBe(false);
    });

    it.each([
      { why: "another verifier", more: { code_verifier: "another" } },
      { why: "no verifier", more: { code_verifier: undefined } },
      { why: "another redirect", more: { redirect_uri: "https://app.test/other" } },
      { why: "no redirect", more: { redirect_uri: undefined } },
      { why: "another code", more: { code: "another" } },
      { why: "the other region", headers: { "x-us-env": "true" } },
      { why: "a code that is ten minutes old", ms: 600_000 },
    ])("refuses $why", async ({ more = {}, headers = {}, ms = 0 }) => {
      const redirectUri = "https://app.test/callback";
      const code = provider.grantCode({ codeChallenge, redirectUri });
      now += ms;
      const refused = await exchange(code, { redirect_uri: redirectUri, ...more }, headers);
      expect([refused.status, (await refused.json()).error]).toEqual([400, "invalid_grant"]);
    });

    it("refuses a code for an unknown user", () => {
      expect(() => provider.grantCode({ codeChallenge, userId: "unknown" })).toThrow(
        "The user unknown does not exist",
      );
    });
  });

  it("answers a wrong path or method with Express's HTML", async () => {
    for (const [method, path] of [
      ["GET", "/v1/auth/logout"],
      ["POST", "/nowhere"],
    ] as const) {
      const response = await send(method, path, { token: provider.login().accessToken });
      expect(response.status).toBe(404);
      expect(response.headers.get("content-type")).toContain("text/html");
      expect(await response.text()).toContain(`<pre>Cannot ${method} ${path}</pre>`);
    }
  });

  it("records every request in order, with its status, but no preflight", async () => {
    const { accessToken } = provider.login();
    await send("OPTIONS", "/v1/user");
    await getUser(accessToken, us);
    await send("GET", "/nowhere?x=1", { headers: { "x-client-key": "" } });
    expect(provider.requests).toEqual([
      {
        method: "GET",
        path: "/v1/user",
        authorization: `Bearer ${accessToken}`,
        clientKey: provider.clientKey,
        region: "us",
        status: 401,
      },
      { method: "GET", path: "/nowhere", clientKey: "", region: "international", status: 404 },
    ]);
  });

  describe("CORS", () => {
    it("answers a preflight of any origin without a key", async () => {
      const response = await send("OPTIONS", "/v1/auth/logout", {
        headers: {
          "x-client-key": "",
          origin: "https://app.test",
          "access-control-request-method": "POST",
          // With a header that an application adds itself.
          "access-control-request-headers": "authorization,x-client-key,x-request-id",
        },
      });
      expect(response.status).toBe(204);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "GET,POST,DELETE",
        "access-control-allow-headers": "authorization,x-client-key,x-request-id",
      });
    });

    it("covers errors and faults too", async () => {
      provider.misbehave({ method: "DELETE", status: 429, headers: { "retry-after": "2" } });
      for (const [response, status] of [
        [await getUser("unknown"), 401],
        [await send("GET", "/v1/user", { headers: { "x-client-key": "" } }), 499],
        [await send("GET", "/nowhere"), 404],
        [await revoke("any"), 429],
      ] as const) {
        expect(response.status).toBe(status);
        expect(response.headers.get("access-control-allow-origin")).toBe("*");
        expect(response.headers.get("access-control-expose-headers")).toBe("Retry-After");
      }
    });
  });

  describe("a fault", () => {
    let accessToken: string;

    beforeEach(() => {
      accessToken = provider.login().accessToken;
    });

    it("affects the requests of its method and path, the given number of times, in the order of the faults", async () => {
      provider.misbehave({ method: "post", path: "/v1/auth/logout", status: 500, times: 2 });
      provider.misbehave({ path: "/v1/auth/logout", status: 503, times: 1 });
      const undo = provider.misbehave({ status: 502 });
      const statuses = [(await getUser(accessToken)).status];
      for (let call = 0; call < 4; call += 1) statuses.push((await logout(accessToken)).status);
      undo();
      statuses.push((await logout(accessToken)).status);
      expect(statuses).toEqual([502, 500, 500, 503, 502, 200]);
    });

    it("answers without handling the request, unless it is handled first", async () => {
      provider.misbehave({ status: 500, times: 1 });
      expect(await answerOf(await logout(accessToken))).toEqual([500, { message: expect.any(String) }]);
      expect(provider.isAlive(accessToken)).toBe(true);

      provider.misbehave({ status: 500, handled: true, times: 1 });
      expect((await logout(accessToken)).status).toBe(500);
      expect(provider.isAlive(accessToken)).toBe(false);
    });

    it("replaces the body, with a default content type of JSON or HTML", async () => {
      const answers = [
        { body: '{"success": false}', type: "application/json" },
        { body: "<h1>Bad gateway</h1>", type: "text/html; charset=utf-8" },
        { body: "{", headers: { "content-type": "text/plain" }, type: "text/plain" },
        { body: "", type: null },
      ];
      for (const { type, ...fault } of answers) {
        provider.misbehave({ ...fault, times: 1 });
        const response = await logout(accessToken);
        expect(response.status).toBe(200);
        expect(response.headers.get("content-type")).toBe(type);
        expect(await response.text()).toBe(fault.body);
      }
      provider.misbehave({ status: 400, body: ({ headers }) => `seen: ${headers.get("authorization")}` });
      expect(await (await logout(accessToken)).text()).toBe(`seen: Bearer ${accessToken}`);
    });

    it("adds headers to the real answer if it replaces nothing", async () => {
      provider.misbehave({ headers: { "x-request-id": "1" } });
      const response = await logout(accessToken);
      expect(response.headers.get("x-request-id")).toBe("1");
      expect(await response.json()).toEqual({ success: true });
    });

    it("answers with a redirect, which is not followed", async () => {
      provider.misbehave({ status: 307, headers: { location: "http://elsewhere.test/" } });
      const response = await logout(accessToken);
      expect([response.status, response.headers.get("location")]).toEqual([307, "http://elsewhere.test/"]);
      expect(provider.requests).toHaveLength(1);
    });

    it.each([204, 205, 304])("answers %i without a body", async (status) => {
      provider.misbehave({ status, body: "never sent" });
      const response = await logout(accessToken);
      expect([response.status, await response.text()]).toEqual([status, ""]);
    });

    it("sends an informational status ahead of the real answer, which fetch ignores", async () => {
      provider.misbehave({ status: 103 });
      expect(await answerOf(await logout(accessToken))).toEqual([200, { success: true }]);
    });

    it.each([{ drop: true }, { status: 101 }] as const)(
      "drops the connection for %o, before or after the request is handled",
      async (fault) => {
        provider.misbehave({ ...fault, times: 1 });
        await expect(logout(accessToken)).rejects.toThrow(new TypeError("fetch failed"));
        expect(provider.isAlive(accessToken)).toBe(true);

        provider.misbehave({ ...fault, handled: true, times: 1 });
        await expect(logout(accessToken)).rejects.toThrow(new TypeError("fetch failed"));
        expect(provider.isAlive(accessToken)).toBe(false);
        expect(provider.requests.map(({ status }) => status)).toEqual([undefined, undefined]);
      },
    );

    it("delays the answer, not the effect of the request", async () => {
      provider.misbehave({ delay: 20, times: 1 });
      const onAnswer = vi.fn();
      const response = logout(accessToken).then(onAnswer);
      await vi.waitFor(() => expect(provider.isAlive(accessToken)).toBe(false), { interval: 1 });
      expect(onAnswer).not.toHaveBeenCalled();
      await response;
    });

    it("leaves a request unanswered until it is aborted, with the reason of its signal", async () => {
      provider.misbehave({ delay: "forever" });
      const controller = new AbortController();
      const response = logout(accessToken, { signal: controller.signal });
      await vi.waitFor(() => expect(provider.requests).toHaveLength(1), { interval: 1 });
      const reason = new Error("enough");
      controller.abort(reason);
      await expect(response).rejects.toBe(reason);
      expect(provider.isAlive(accessToken)).toBe(true);
    });

    it.each([0, 5])("breaks the connection after %i bytes of the body", async (truncate) => {
      provider.misbehave({ truncate });
      const response = await logout(accessToken);
      const whole = JSON.stringify({ success: true });
      expect(response.status).toBe(200);
      expect(response.headers.get("content-length")).toBe(String(whole.length));
      const { text, error } = await readAll(response);
      expect(text).toBe(whole.slice(0, truncate));
      expect(error).toEqual(new TypeError("terminated"));
      expect(provider.isAlive(accessToken)).toBe(false);
    });

    it("does not break a body that is shorter than the limit", async () => {
      provider.misbehave({ truncate: 1000 });
      expect(await (await logout(accessToken)).json()).toEqual({ success: true });
    });

    it("trickles the body", async () => {
      provider.misbehave({ trickle: 1, body: "slowly" });
      expect(await (await logout(accessToken)).text()).toBe("slowly");
    });

    it("ends a trickling body by an abort while it is read, with the reason of the signal", async () => {
      // One byte per minute: only the abort can end this.
      provider.misbehave({ trickle: 60_000 });
      const controller = new AbortController();
      const response = await logout(accessToken, { signal: controller.signal });
      const body = response.text();
      const reason = new Error("enough");
      controller.abort(reason);
      await expect(body).rejects.toBe(reason);
    });

    it("throws at once if it would change nothing", () => {
      expect(() => provider.misbehave({ status: 600 })).toThrow(RangeError);
      expect(() => provider.misbehave({ handled: false, delay: 1 })).toThrow(TypeError);
    });
  });

  it("rejects with the reason of a signal that was aborted before, and receives nothing", async () => {
    const reason = new Error("never mind");
    await expect(send("GET", "/v1/user", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(provider.requests).toEqual([]);
  });
});

describe("in process", () => {
  it("has received a request when fetch returns, and an abort right after still rejects", async () => {
    const controller = new AbortController();
    const response = provider.fetch(new Request("http://provider.test/v1/user"), {
      signal: controller.signal,
    });
    expect(provider.requests).toHaveLength(1);
    controller.abort("gone");
    await expect(response).rejects.toBe("gone");
  });

  it("rejects at once on abort, even if the provider is waiting", async () => {
    provider.misbehave({ body: () => new Promise(() => {}) });
    const controller = new AbortController();
    const response = provider.fetch("http://provider.test/v1/user", { signal: controller.signal });
    setTimeout(() => controller.abort("gone"));
    await expect(response).rejects.toBe("gone");
  });

  it("ends a trickling body by an abort before it is read", async () => {
    provider.misbehave({ trickle: 60_000, body: "slowly" });
    const controller = new AbortController();
    const response = await provider.fetch("http://provider.test/v1/user", { signal: controller.signal });
    controller.abort("gone");
    await expect(response.text()).rejects.toBe("gone");
  });

  it("delays with the timers of the test", async () => {
    useFakeTime();
    provider.misbehave({ delay: 3_600_000, status: 503 });
    expect((await within(3_600_000, provider.app.request("/v1/user"))).status).toBe(503);
  });

  it("refuses a second user of the same address, and tokens for an unknown user", () => {
    expect(() => provider.addUser({ email: provider.user.email })).toThrow("exists already");
    expect(() => provider.login("unknown")).toThrow("The user unknown does not exist");
  });
});

describe("an authenticator app", () => {
  // RFC 6238, appendix B, with six of its eight digits, and RFC 4226, appendix D.
  const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

  it.each([
    { seconds: 0, code: "755224" },
    { seconds: 59, code: "287082" },
    { seconds: 1_111_111_109, code: "081804" },
    { seconds: 1_234_567_890, code: "005924" },
    { seconds: 2_000_000_000, code: "279037" },
    { seconds: 20_000_000_000, code: "353130" },
  ])("shows $code after $seconds seconds", ({ seconds, code }) => {
    now = seconds * 1_000;
    expect(provider.oneTimePassword(provider.addUser({ totp: secret }).id)).toBe(code);
  });

  it("accepts the secret in any case, with blanks and padding", () => {
    const { id } = provider.addUser({ totp: "gezd gnbv gy3t qojq gezd gnbv gy3t qojq====" });
    const other = provider.addUser({ totp: secret });
    expect(provider.oneTimePassword(id)).toBe(provider.oneTimePassword(other.id));
  });

  it.each(["", "A", "ABCD1EFG", "ABCD€EFG"])(
    "refuses the secret %j with an error that does not quote it",
    (totp) => {
      expect(() => provider.addUser({ totp })).toThrow(/^totp must be a base32 secret: [^€1]*$/);
    },
  );

  it("refuses a code for a user without an app", () => {
    expect(() => provider.oneTimePassword(provider.user.id)).toThrow("does not use one-time passwords");
  });
});

it("refuses an unknown wrongOtp", () => {
  for (const wrongOtp of ["401", "sometimes", 403] as never[])
    expect(() => createSandboxApp({ wrongOtp })).toThrow('wrongOtp must be "challenge", 400 or 401');
});

describe("the server", () => {
  it("ends hanging and trickling connections when it closes, and frees its port", async () => {
    const server = await startServer(provider);
    provider.misbehave({ method: "GET", delay: "forever" });
    provider.misbehave({ method: "POST", trickle: 60_000, body: "slowly" });
    const hanging = fetch(`${server.url}/v1/user`);
    const trickling = (await fetch(`${server.url}/v1/auth/logout`, { method: "POST" })).text();
    await vi.waitFor(() => expect(provider.requests).toHaveLength(2), { interval: 1 });
    const ended = Promise.all([expect(hanging).rejects.toThrow(), expect(trickling).rejects.toThrow()]);

    await server.close();
    await ended;

    const again = await startServer(provider, { port: Number(new URL(server.url).port) });
    await again.close();
  });

  it("leaves the global Request and Response alone", async () => {
    const server = await startServer(provider);
    await fetch(`${server.url}/v1/user`);
    await server.close();
    expect([globalThis.Request === own.Request, globalThis.Response === own.Response]).toEqual([true, true]);
  });
});

/** Returns the status and the JSON body of an answer. */
const answerOf = async (response: Response) => [response.status, await response.json()] as const;

/** Reads the received bytes as text, and the error that ended them. */
async function readAll(response: Response): Promise<{ text: string; error?: unknown }> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) text += part.value;
    return { text };
  } catch (error) {
    return { text, error };
  }
}
