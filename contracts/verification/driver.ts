/**
 * Brings a provider into the states of the contract the way a person would: over its own HTTP API. It is
 * the same for the sandbox and for any other; it looks into neither.
 */
import { type Api, createApi, Refused, Unreachable, unregisteredClientKey } from "../api.ts";
import type { StateHandlers, StateParameters } from "../states.ts";
import type { Target } from "../target.ts";

type Region = StateParameters["region"];

/** An authorization of the target, and what a read of the user answered before anything was revoked. */
interface Authorization {
  name: string;
  accessToken: string;
  status: number;
}

export interface Driver {
  handlers: StateHandlers;
  /** Ends the sessions that were begun and are still alive. */
  endSessions(): Promise<void>;
}

export function createDriver(target: Target): Driver {
  const api = createApi(target);
  let first: Promise<Authorization[]> | undefined;
  let hasRevoked = false;
  let revoked: { accessToken: string; clientKey: string } | undefined;

  /** Before anything is ended: to log out, or to revoke one, may end others. */
  const readFirst = () => {
    first ??= readAuthorizations(target, api);
    return first;
  };

  const minted = () =>
    target.authorize && { name: "another authorization", accessToken: target.authorize(), status: 200 };

  async function takeAuthorization(region: Region) {
    const clientKey = api.requireKey();
    if (region !== "international")
      throw new Unreachable("BAANX_TEST_OAUTH_TOKENS are of the international back end");
    const next = (await readFirst()).shift() ?? minted();
    const { length } = target.authorizations;
    if (!next)
      throw new Unreachable(
        length === 0
          ? "BAANX_TEST_OAUTH_TOKENS is not set"
          : `the ${length} OAuth authorizations are used up`,
      );
    const { name, accessToken } = next;
    expectDone(`a read of the user with ${name}`, next.status);
    const { status } = await api.user(accessToken, { region });
    if (status !== 401) expectDone(`a read of the user with ${name}`, status);
    return { name, values: { accessToken, clientKey }, isAccepted: status === 200 };
  }

  async function logIn(region: Region) {
    const clientKey = api.requireKey();
    await readFirst();
    const { accessToken } = await api.logIn(region);
    return { accessToken, clientKey };
  }

  const handlers: StateHandlers = {
    "an active session": async ({ region }) => ({ ...(await logIn(region)), unregisteredClientKey }),

    "a session that was logged out": async ({ region }) => {
      const values = await logIn(region);
      expectDone("the logout", (await api.logout(values.accessToken, { region })).status);
      return values;
    },

    "an authorized OAuth client": async ({ region }) => {
      // The revocation of another one of the same user may have ended some.
      for (;;) {
        const { values, isAccepted } = await takeAuthorization(region);
        if (!isAccepted) continue;
        // The request of the interaction may be its revocation.
        hasRevoked = true;
        return values;
      }
    },

    "an OAuth authorization that was revoked": async ({ region }) => {
      // What is revoked stays so: every interaction that wants one may have the same.
      if (revoked) return revoked;
      const { name, values, isAccepted } = await takeAuthorization(region);
      // To revoke another one of the same user has brought the state about already.
      if (!isAccepted && !hasRevoked) throw new Unreachable(`${name} has ended, and not by a revocation`);
      if (isAccepted)
        expectDone(`the revocation of ${name}`, (await api.revoke(values.accessToken, { region })).status);
      hasRevoked = true;
      revoked = values;
      return values;
    },
  };
  return { handlers, endSessions: api.endSessions };
}

function readAuthorizations({ authorizations }: Target, api: Api): Promise<Authorization[]> {
  const reads = authorizations.map(async ([accessToken = ""], index) => {
    const { status } = await api.user(accessToken);
    return { name: `entry ${index + 1} of BAANX_TEST_OAUTH_TOKENS`, accessToken, status };
  });
  return Promise.all(reads);
}

function expectDone(what: string, status: number): void {
  if (status !== 200) throw new Refused(`${what} answered ${status}`);
}
