/**
 * The contract as data: each interaction with its provider state, its evidence, and the parts of the answer that the
 * consumer branches on. The tests cover how the consumer interprets the answer.
 */
import { Matchers } from "@pact-foundation/pact";
import type { Evidence, StateName, StateParameters, ValueOf } from "../states.ts";

const { string } = Matchers;

export interface InteractionOf<S extends StateName> {
  description: string;
  state: S;
  evidence: Evidence;
  /** The source of the evidence. */
  source: string;
  /** Default: international. `us` is sent as `x-us-env: true`. */
  region?: StateParameters["region"];
  method: "GET" | "POST" | "DELETE";
  path: string;
  /** The value of the state that is sent as `x-client-key`. Default: the registered key. */
  clientKey?: ValueOf<S>;
  status: number;
  /** Omitted where the consumer does not read a body. */
  body?: Record<string, unknown>;
}

export type Interaction = { [S in StateName]: InteractionOf<S> }[StateName];

// Ties the client key to the values of this interaction's state.
const interaction = <S extends StateName>(terms: InteractionOf<S>) => terms;

const logout = { method: "POST", path: "/v1/auth/logout" } as const;
const revoke = { method: "DELETE", path: "/v1/auth/oauth/revoke" } as const;
const user = { method: "GET", path: "/v1/user" } as const;

const documentedOn = (page: string) =>
  ({ evidence: "documented", source: `docs.baanx.com, the page of ${page}` }) as const;
const documented = {
  logout: documentedOn("logout"),
  revoke: documentedOn("revoke"),
  user: documentedOn("GET /v1/user"),
};
const observed = { evidence: "observed", source: "public code of wallets that use the API" } as const;
const assumed = { evidence: "assumed", source: "none: docs/open-questions.md" } as const;

// No matcher: the consumer distinguishes `true` from `"true"`, 1 and false.
const success = { success: true };
// Type only: the consumer uses it to tell a profile from an error page, and reads nothing else.
const profile = { id: string("9d1c6f0e-2b57-4c83-8a41-6e5f7d20b913") };

export const interactions = {
  logout: interaction({
    description: "a logout",
    state: "an active session",
    ...documented.logout,
    ...logout,
    status: 200,
    body: success,
  }),
  logoutAgain: interaction({
    description: "a second logout",
    state: "a session that was logged out",
    ...assumed,
    ...logout,
    status: 401,
  }),
  logoutWithUnregisteredKey: interaction({
    description: "a logout with a client key that is not registered",
    state: "an active session",
    ...observed,
    ...logout,
    clientKey: "unregisteredClientKey",
    status: 498,
  }),
  revoke: interaction({
    description: "a revocation",
    state: "an authorized OAuth client",
    ...documented.revoke,
    ...revoke,
    status: 200,
    body: success,
  }),
  revokeAgain: interaction({
    description: "a second revocation",
    state: "an OAuth authorization that was revoked",
    ...assumed,
    ...revoke,
    status: 401,
  }),
  user: interaction({
    description: "a read of the user",
    state: "an active session",
    ...documented.user,
    ...user,
    status: 200,
    body: profile,
  }),
  logoutInTheUs: interaction({
    description: "a logout in the US region",
    state: "an active session",
    region: "us",
    ...observed,
    ...logout,
    status: 200,
    body: success,
  }),
  userInTheUs: interaction({
    description: "a read of the user in the US region",
    state: "an active session",
    region: "us",
    ...documented.user,
    ...user,
    status: 200,
    body: profile,
  }),
  userAfterLogout: interaction({
    description: "a read of the user after logout",
    state: "a session that was logged out",
    ...documented.logout,
    ...user,
    status: 401,
  }),
  userAfterRevocation: interaction({
    description: "a read of the user after revocation",
    state: "an OAuth authorization that was revoked",
    ...documented.revoke,
    ...user,
    status: 401,
  }),
};
