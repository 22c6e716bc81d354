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

/** Long enough for an answer from this machine, and short enough to wait for a missing one. */
const PATIENCE = 500;

interface Stage {
  provider: SandboxApp;
  baseUrl: string;
  /** Prints one step, and records a failure. */
  check(what: string, call: string, came: string, expected: string): void;
}

/**
 * Serves the provider on a free port, runs every step against it and closes it again.
 *
 * @returns true if every step succeeded
 */
export async function runDemo(provider: SandboxApp, print: (line: string) => void): Promise<boolean> {
  const server = await startServer(provider);
  let held = 0;
  let failed = 0;
  const stage: Stage = {
    provider,
    baseUrl: server.url,
    check(what, call, came, expected) {
      const isHeld = came === expected;
      if (isHeld) held++;
      else failed++;
      const line = `${isHeld ? "✓" : "✗"} ${what.padEnd(35)} ${call.padEnd(29)} ${came}`;
      print(isHeld ? line : `${line}; expected ${expected}`);
    },
  };
  const login = createSession({ baseUrl: server.url, clientKey: provider.clientKey });
  const sections: [title: string, run: () => Promise<void>][] = [
    ["A password login, ended by logout", () => passwordLogin(stage, login)],
    ["An OAuth authorization of the same user, ended by revoke", () => authorization(stage, login)],
    ["A server that does not answer", () => silence(stage)],
  ];
  try {
    print(`This runs against a sandbox of the Baanx API, not Baanx: ${server.url}`);
    for (const [title, run] of sections) {
      print(`\n${title}`);
      try {
        await run();
      } catch (error) {
        // Only the name of the error: foreign messages may contain a token.
        failed++;
        print(`✗ cannot go on: ${error instanceof MissingToken ? error.message : nameOf(error)}`);
      }
    }
    print(`\n${held} steps held, ${failed} did not.`);
    return failed === 0;
  } finally {
    await server.close();
  }
}

async function passwordLogin(stage: Stage, session: Session): Promise<void> {
  const { check } = stage;
  const first = await logIn(stage, "log in", session);
  check("read the user", "GET /v1/user", await user(stage, session), "200, this user");
  const end = await session.logout();
  check("log out", "POST /v1/auth/logout", shown(end), "confirmed, cleared");
  check("the same token again", "GET /v1/user", await probed(stage, first), "invalid");
  await logIn(stage, "log in again", session);
  check("read the user", "GET /v1/user", await user(stage, session), "200, this user");
}

async function authorization(stage: Stage, login: Session): Promise<void> {
  const { provider, baseUrl, check } = stage;
  const { id, ...tokens } = provider.authorize();
  const accessTokens = [tokens.accessToken, provider.addAccessToken(id)];
  const all = [...accessTokens, tokens.refreshToken];
  const alive = () => `${all.filter((token) => provider.isAlive(token)).length} of 3 alive`;

  const session = createSession({ baseUrl, clientKey: provider.clientKey });
  await session.start({ ...tokens, grant: "oauth" });
  check("read the user", "GET /v1/user", await user(stage, session), "200, this user");
  check("two access tokens, a refresh token", "(the sandbox's own records)", alive(), "3 of 3 alive");
  const end = await session.end();
  check("revoke", "DELETE /v1/auth/oauth/revoke", shown(end), "confirmed, cleared");
  for (const accessToken of accessTokens) {
    check("an access token of it", "GET /v1/user", await probed(stage, accessToken), "invalid");
  }
  check("two access tokens, a refresh token", "(the sandbox's own records)", alive(), "0 of 3 alive");
  check("the login session beside it", "GET /v1/user", await user(stage, login), "200, this user");
}

async function silence(stage: Stage): Promise<void> {
  const { provider, baseUrl, check } = stage;
  const session = createSession({ baseUrl, clientKey: provider.clientKey, timeout: PATIENCE });
  const accessToken = await logIn(stage, "log in", session);
  const answerAgain = provider.misbehave({ path: "/v1/auth/logout", delay: "forever" });
  try {
    const ending = session.logout();
    check("signed out before any answer", "session.state", session.state, "signed-out");
    check("log out", "POST /v1/auth/logout", shown(await ending), "unconfirmed (timeout), pending");
  } finally {
    answerAgain();
  }
  check("the token is alive", "GET /v1/user", await probed(stage, accessToken), "active");
  const ends = await session.flush();
  check("try again", "session.flush()", ends.map(shown).join("; "), "confirmed, cleared");
  check("the token is dead", "GET /v1/user", await probed(stage, accessToken), "invalid");
  check("nothing is left to end", "session.pending", `${session.pending}`, "0");
}

/** Logs the provider's user in by password, starts the session, and returns the access token. */
async function logIn({ provider, baseUrl, check }: Stage, what: string, session: Session): Promise<string> {
  const { email, password } = provider.user;
  const bindings = createBindings({ baseUrl, clientKey: provider.clientKey });
  const { response, data } = await bindings.POST("/v1/auth/login", { body: { email, password } });
  // A 200 alone is not a session: the login may be incomplete.
  const login = completedLogin(data);
  const came = `${response.status}, ${login ? "a token" : "no token"}`;
  check(what, "POST /v1/auth/login", came, "200, a token");
  if (!login) throw new MissingToken();
  await session.start(login);
  return login.accessToken;
}

const probed = ({ provider, baseUrl }: Stage, accessToken: string) =>
  probe({ baseUrl, clientKey: provider.clientKey }, { accessToken });

async function user({ provider }: Stage, session: Session): Promise<string> {
  const { response, data } = await session.client.GET("/v1/user");
  if (!response.ok) return `${response.status}`;
  return `${response.status}, ${data?.id === provider.user.id ? "this user" : "another user"}`;
}

/** Formats both facts of an ending, and why the server's side is open. */
function shown({ server, local, error }: SessionEnd): string {
  return `${server}${error ? ` (${error.code})` : ""}, ${local}`;
}

class MissingToken extends Error {
  override readonly message = "there is no access token to go on with";
}

/** Returns a safe name: messages of our errors never contain a secret. */
function nameOf(error: unknown): string {
  return error instanceof SessionError ? error.message : error instanceof Error ? error.name : "an error";
}
