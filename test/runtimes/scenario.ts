/**
 * The scenario for every runtime, played once, and its results. It does not know its runtime and judges nothing;
 * `runtimes.e2e.ts` does. It requests each change of its servers.
 */
import { createSession, memoryStore, probe, SessionError, type SessionOptions } from "baanx-session";

/** Set by the bundler, so that sessions can be created at module scope, before an environment exists. */
declare const SETTINGS: Settings;

export interface Settings {
  /** The sandbox. */
  sandbox: string;
  /** A closed port, until `late` is requested. */
  dead: string;
  /** Answers each request with a redirect to another server. */
  redirecting: string;
  /** Changes the servers: a request to `/late`, `/hanging`, `/silent` or `/long` resolves after the change. */
  world: string;
  clientKey: string;
  tokens: Record<
    "login" | "oauth" | "renewed" | "late" | "silent" | "redirected" | "hanging" | "long",
    string
  >;
}

export type Outcome = Awaited<ReturnType<typeof run>>;

const { clientKey, tokens } = SETTINGS;
const at = (baseUrl: string, options: Partial<SessionOptions> = {}) =>
  createSession({ baseUrl, clientKey, retries: 0, ...options });

const session = at(SETTINGS.sandbox);
let renewals = 0;
const renewing = at(SETTINGS.sandbox, {
  async renew() {
    renewals += 1;
    return { accessToken: tokens.renewed };
  },
});
const late = at(SETTINGS.dead);
const store = memoryStore();
const impatient = at(SETTINGS.sandbox, { store, timeout: 500 });
const patient = at(SETTINGS.sandbox, { store });
const redirected = at(SETTINGS.redirecting);

export async function run() {
  return {
    ended: await useAndEnd(),
    revoked: await revoke(),
    renewed: await renew(),
    cut: await readALongError(),
    // A call that is aborted before it was sent leaves a server hanging for the next call.
    inFlight: await endDuringACall(),
    pending: await endWithoutAServer(),
    silent: await endWithoutAnAnswer(),
    redirected: await endBehindARedirect(),
  };
}

async function useAndEnd() {
  await session.start({ accessToken: tokens.login, grant: "login" });
  const { response } = await session.client.GET("/v1/user");
  const ending = session.logout();
  const { state } = session;
  const end = await ending;
  const after = await codeOf(session.fetch(`${SETTINGS.sandbox}/v1/user`));
  return {
    status: response.status,
    state,
    end,
    after,
    probe: await probe({ baseUrl: SETTINGS.sandbox, clientKey }, { accessToken: tokens.login }),
  };
}

async function revoke() {
  await session.start({ accessToken: tokens.oauth, refreshToken: "refresh", grant: "oauth" });
  return session.end();
}

async function renew() {
  await renewing.start({ accessToken: "expired", refreshToken: "refresh", grant: "oauth" });
  const calls = [renewing.client.GET("/v1/user"), renewing.client.GET("/v1/user")];
  const statuses = (await Promise.all(calls)).map(({ response }) => response.status);
  return { statuses, renewals, end: await renewing.end() };
}

async function endDuringACall() {
  await session.start({ accessToken: tokens.hanging, grant: "login" });
  await change("hanging");
  const call = codeOf(session.fetch(`${SETTINGS.sandbox}/v1/user`));
  const end = await session.logout();
  return { call: await call, end };
}

async function readALongError() {
  await patient.start({ accessToken: tokens.long, grant: "login" });
  await change("long");
  const response = await patient.fetch(`${SETTINGS.sandbox}/v1/user`);
  const { length } = await response.text();
  return { status: response.status, length, end: await patient.logout() };
}

async function endWithoutAServer() {
  await late.start({ accessToken: tokens.late, grant: "login" });
  const end = await late.logout();
  const { state, pending } = late;
  await change("late");
  return { end, state, pending, flushed: await late.flush(), left: late.pending };
}

async function endWithoutAnAnswer() {
  await impatient.start({ accessToken: tokens.silent, grant: "login" });
  await change("silent");
  return { end: await impatient.logout(), flushed: await patient.flush() };
}

async function endBehindARedirect() {
  await redirected.start({ accessToken: tokens.redirected, grant: "login" });
  return redirected.logout();
}

async function change(what: "late" | "hanging" | "silent" | "long"): Promise<void> {
  const { ok } = await fetch(`${SETTINGS.world}/${what}`);
  if (!ok) throw new Error(`The world did not change: ${what}`);
}

async function codeOf(call: Promise<Response>): Promise<string> {
  try {
    return `status ${(await call).status}`;
  } catch (error) {
    return error instanceof SessionError ? error.code : String(error);
  }
}
