/**
 * Brings a provider into the states of the contract over its HTTP API, like a person would. The sandbox and any other
 * provider are handled alike.
 */
import { type Api, createApi, Refused, Unreachable, unregisteredClientKey } from "../api.ts";
import type { StateHandlers, StateParameters } from "../states.ts";
import type { Target } from "../target.ts";

type Region = StateParameters["region"];

/** An authorization of the target, and the status of a read with its token before any revocation. */
interface Authorization {
  name: string;
  accessToken: string;
  status: number;
}

/** Returns the handlers of the states, and a function that ends the sessions that they have begun. */
export function createDriver(target: Target) {
  const api = createApi(target);
  let first: Promise<Authorization[]> | undefined;
  let hasRevoked = false;
  let revoked: { accessToken: string; clientKey: string } | undefined;

  /** Reads before any ending, because a logout or revocation may end other authorizations. */
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
      // Revoking another authorization of the user may have ended this one.
      for (;;) {
        const { values, isAccepted } = await takeAuthorization(region);
        if (!isAccepted) continue;
        // The interaction's own request may be the revocation.
        hasRevoked = true;
        return values;
      }
    },

    "an OAuth authorization that was revoked": async ({ region }) => {
      // A revocation is permanent, so every interaction may use the same authorization.
      if (revoked) return revoked;
      const { name, values, isAccepted } = await takeAuthorization(region);
      // Revoking another authorization of the user has already reached the state.
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
