/**
 * The steps of the demo: sessions begin and end against a provider, and each step compares the actual result with the
 * expected one. The caller chooses the provider and the output.
 */
import {
  completedLogin,
  createBindings,
  createSession,
  probe,
  type Session,
  type SessionEnd,
  SessionError,
} from "../src/index.ts";
import type { SandboxApp } from "../src/sandbox/sandbox.ts";
import { startServer } from "../src/sandbox/server.ts";

/**
 * Serves the provider on a free port, runs every step against it and closes it again.
 *
 * @returns true if every step succeeded
 */
export async function runDemo(provider: SandboxApp, print: (line: string) => void): Promise<boolean> {
  const server = await startServer(provider);
  const options = { baseUrl: server.url, clientKey: provider.clientKey };
  let held = 0;
  let failed = 0;

  function check(what: string, call: string, actual: string, expected: string): void {
    const isHeld = actual === expected;
    if (isHeld) held++;
    else failed++;
    const line = `${isHeld ? "✓" : "✗"} ${what.padEnd(35)} ${call.padEnd(29)} ${actual}`;
    print(isHeld ? line : `${line}; expected ${expected}`);
  }

  async function checkUser(what: string, session: Session): Promise<void> {
    const { response, data } = await session.client.GET("/v1/user");
    const whose = data?.id === provider.user.id ? "this user" : "another user";
    const actual = response.ok ? `${response.status}, ${whose}` : `${response.status}`;
    check(what, "GET /v1/user", actual, "200, this user");
  }

  async function checkToken(what: string, accessToken: string, expected: "active" | "invalid") {
    check(what, "GET /v1/user", await probe(options, { accessToken }), expected);
  }

  /** Logs the provider's user in by password, starts the session, and returns the access token. */
  async function logIn(what: string, session: Session): Promise<string> {
    const { email, password } = provider.user;
    const { response, data } = await createBindings(options).POST("/v1/auth/login", {
      body: { email, password },
    });
    // A 200 alone is not a session: the login may be incomplete.
    const login = completedLogin(data);
    const actual = `${response.status}, ${login ? "a token" : "no token"}`;
    check(what, "POST /v1/auth/login", actual, "200, a token");
    if (!login) throw Object.assign(new Error(), { name: "the access token is missing" });
    await session.start(login);
    return login.accessToken;
  }

  const login = createSession(options);

  async function passwordLogin(): Promise<void> {
    const accessToken = await logIn("log in", login);
    await checkUser("read the user", login);
    check("log out", "POST /v1/auth/logout", formatEnding(await login.logout()), "confirmed, cleared");
    await checkToken("the same token again", accessToken, "invalid");
    await logIn("log in again", login);
    await checkUser("read the user", login);
  }

  async function authorization(): Promise<void> {
    const { id, ...tokens } = provider.authorize();
    const accessTokens = [tokens.accessToken, provider.addAccessToken(id)];
    const checkAlive = (expected: string) => {
      const alive = [...accessTokens, tokens.refreshToken].filter(provider.isAlive).length;
      const what = "two access tokens, a refresh token";
      check(what, "(the sandbox's own records)", `${alive} of 3 alive`, expected);
    };
    const session = createSession(options);
    await session.start({ ...tokens, grant: "oauth" });
    await checkUser("read the user", session);
    checkAlive("3 of 3 alive");
    check("revoke", "DELETE /v1/auth/oauth/revoke", formatEnding(await session.end()), "confirmed, cleared");
    for (const accessToken of accessTokens) await checkToken("an access token of it", accessToken, "invalid");
    checkAlive("0 of 3 alive");
    await checkUser("the login session beside it", login);
  }

  async function silence(): Promise<void> {
    // Long enough for an answer from this machine, and short enough to wait for a missing one.
    const session = createSession({ ...options, timeout: 500 });
    const accessToken = await logIn("log in", session);
    const answerAgain = provider.misbehave({ path: "/v1/auth/logout", delay: "forever" });
    const ending = session.logout();
    check("signed out before any answer", "session.state", session.state, "signed-out");
    check("log out", "POST /v1/auth/logout", formatEnding(await ending), "unconfirmed (timeout), pending");
    answerAgain();
    await checkToken("the token is alive", accessToken, "active");
    const ends = await session.flush();
    check("try again", "session.flush()", ends.map(formatEnding).join("; "), "confirmed, cleared");
    await checkToken("the token is dead", accessToken, "invalid");
    check("nothing is left to end", "session.pending", `${session.pending}`, "0");
  }

  print(`This runs against a sandbox of the Baanx API, not Baanx: ${server.url}`);
  for (const [title, run] of [
    ["A password login, ended by logout", passwordLogin],
    ["An OAuth authorization of the same user, ended by revoke", authorization],
    ["A server that does not answer", silence],
  ] as const) {
    print(`\n${title}`);
    await run().catch((error: Error) => {
      failed++;
      // Only the name of other errors: foreign messages may contain a token.
      print(`✗ cannot go on: ${error instanceof SessionError ? error.message : error.name}`);
    });
  }
  print(`\n${held} steps held, ${failed} did not.`);
  await server.close();
  return failed === 0;
}

/** Formats both facts of an ending, and the reason for an unconfirmed one. */
function formatEnding({ server, local, error }: SessionEnd): string {
  return `${server}${error ? ` (${error.code})` : ""}, ${local}`;
}
