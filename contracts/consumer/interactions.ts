/**
 * The contract as data: each interaction with its provider state, its standing, and as much of the
 * answer as the consumer branches on. What the consumer makes of the answer is left to the tests.
 */
import { Matchers } from "@pact-foundation/pact";
import type { Standing, StateName, ValueOf } from "../states.ts";

const { string } = Matchers;

export interface InteractionOf<S extends StateName> {
  description: string;
  state: S;
  standing: Standing;
  method: "GET" | "POST" | "DELETE";
  path: string;
  /** Which of the state's values is sent as `x-client-key`. Default: the one that is registered. */
  clientKey?: ValueOf<S>;
  status: number;
  /** Left out where the consumer reads none. */
  body?: Record<string, unknown>;
}

export type Interaction = { [S in StateName]: InteractionOf<S> }[StateName];

// Ties the client key to the values of the state at hand.
const interaction = <S extends StateName>(terms: InteractionOf<S>) => terms;

const logout = { method: "POST", path: "/v1/auth/logout" } as const;
const revoke = { method: "DELETE", path: "/v1/auth/oauth/revoke" } as const;
const user = { method: "GET", path: "/v1/user" } as const;

export const interactions = {
  logout: interaction({
    description: "a logout",
    state: "an active session",
    standing: "documented",
    ...logout,
    status: 200,
    // No matcher: `"true"`, 1 and false are other answers, and the consumer tells them apart.
    body: { success: true },
  }),
  logoutAgain: interaction({
    description: "a second logout",
    state: "a session that was logged out",
    standing: "assumed",
    ...logout,
    status: 401,
  }),
  logoutWithUnregisteredKey: interaction({
    description: "a logout with a client key that is not registered",
    state: "an active session",
    standing: "observed",
    ...logout,
    clientKey: "unregisteredClientKey",
    status: 498,
  }),
  revoke: interaction({
    description: "a revocation",
    state: "an authorized OAuth client",
    standing: "documented",
    ...revoke,
    status: 200,
    body: { success: true },
  }),
  user: interaction({
    description: "a read of the user",
    state: "an active session",
    standing: "documented",
    ...user,
    status: 200,
    // The type alone: the consumer tells a profile from an error page by it and reads nothing of it.
    body: { id: string("9d1c6f0e-2b57-4c83-8a41-6e5f7d20b913") },
  }),
  userAfterLogout: interaction({
    description: "a read of the user after logout",
    state: "a session that was logged out",
    standing: "documented",
    ...user,
    status: 401,
  }),
  userAfterRevocation: interaction({
    description: "a read of the user after revocation",
    state: "an OAuth authorization that was revoked",
    standing: "documented",
    ...user,
    status: 401,
  }),
};
