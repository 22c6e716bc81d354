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

const page = {
  logout: "docs.baanx.com, the page of logout",
  revoke: "docs.baanx.com, the page of revoke",
  user: "docs.baanx.com, the page of GET /v1/user",
} as const;
const wallets = "public code of wallets that use the API";
const question = "none: docs/open-questions.md";

// No matcher: the consumer distinguishes `true` from `"true"`, 1 and false.
const success = { success: true };
// Type only: the consumer uses it to tell a profile from an error page, and reads nothing else.
const profile = { id: string("9d1c6f0e-2b57-4c83-8a41-6e5f7d20b913") };

export const interactions = {
  logout: interaction({
    description: "a logout",
    state: "an active session",
    evidence: "documented",
    source: page.logout,
    ...logout,
    status: 200,
    body: success,
  }),
  logoutAgain: interaction({
    description: "a second logout",
    state: "a session that was logged out",
    evidence: "assumed",
    source: question,
    ...logout,
    status: 401,
  }),
  logoutWithUnregisteredKey: interaction({
    description: "a logout with a client key that is not registered",
    state: "an active session",
    evidence: "observed",
    source: wallets,
    ...logout,
    clientKey: "unregisteredClientKey",
    status: 498,
  }),
  revoke: interaction({
    description: "a revocation",
    state: "an authorized OAuth client",
    evidence: "documented",
    source: page.revoke,
    ...revoke,
    status: 200,
    body: success,
  }),
  revokeAgain: interaction({
    description: "a second revocation",
    state: "an OAuth authorization that was revoked",
    evidence: "assumed",
    source: question,
    ...revoke,
    status: 401,
  }),
  user: interaction({
    description: "a read of the user",
    state: "an active session",
    evidence: "documented",
    source: page.user,
    ...user,
    status: 200,
    body: profile,
  }),
  logoutInTheUs: interaction({
    description: "a logout in the US region",
    state: "an active session",
    region: "us",
    evidence: "observed",
    source: wallets,
    ...logout,
    status: 200,
    body: success,
  }),
  userInTheUs: interaction({
    description: "a read of the user in the US region",
    state: "an active session",
    region: "us",
    evidence: "documented",
    source: page.user,
    ...user,
    status: 200,
    body: profile,
  }),
  userAfterLogout: interaction({
    description: "a read of the user after logout",
    state: "a session that was logged out",
    evidence: "documented",
    source: page.logout,
    ...user,
    status: 401,
  }),
  userAfterRevocation: interaction({
    description: "a read of the user after revocation",
    state: "an OAuth authorization that was revoked",
    evidence: "documented",
    source: page.revoke,
    ...user,
    status: 401,
  }),
};
