/**
 * What both sides of the contract must name alike: the consumer, the provider, the kinds of evidence, and the provider
 * states with their parameters and the values they return. How a state is reached is up to the provider's side.
 */

export const consumerName = "baanx-session";
export const providerName = "baanx-auth-api";

/** How surely something is known: on a page of the documentation, in public code, or neither. */
export const kindsOfEvidence = ["documented", "observed", "assumed"] as const;
export type Evidence = (typeof kindsOfEvidence)[number];

/** The back end that a session belongs to: the other one answers its tokens with 401. */
export const regions = ["international", "us"] as const;
export interface StateParameters {
  region: (typeof regions)[number];
}

interface ProviderState {
  /** What the provider returns, each with the example that stands for it in the consumer's tests. */
  values: Record<string, string>;
}

const clientKey = "example-client-key";

export const states = {
  "an active session": {
    values: {
      accessToken: "example-access-token-of-an-active-session",
      clientKey,
      unregisteredClientKey: "example-client-key-that-is-not-registered",
    },
  },
  "an authorized OAuth client": {
    values: { accessToken: "example-access-token-of-an-authorized-client", clientKey },
  },
  "a session that was logged out": {
    values: { accessToken: "example-access-token-that-was-logged-out", clientKey },
  },
  "an OAuth authorization that was revoked": {
    values: { accessToken: "example-access-token-that-was-revoked", clientKey },
  },
} satisfies Record<string, ProviderState>;

export type StateName = keyof typeof states;

/** The names of the values that a state returns. */
export type ValueOf<S extends StateName> = keyof (typeof states)[S]["values"] & string;

/** One handler a state, which brings it about and returns its values: a missing one does not compile. */
export type StateHandlers = {
  [S in StateName]: (parameters: StateParameters) => Promise<Record<ValueOf<S>, string>>;
};

export const isStateName = (name: string): name is StateName => Object.hasOwn(states, name);
