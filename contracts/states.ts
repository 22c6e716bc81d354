/**
 * The names that both sides of the contract share: consumer, provider, kinds of evidence, and the provider states with
 * their parameters and returned values. The provider's side decides how to reach a state.
 */

export const consumerName = "baanx-session";
export const providerName = "baanx-auth-api";

/** How certain a fact is: on a page of the documentation, in public code, or neither. */
export const kindsOfEvidence = ["documented", "observed", "assumed"] as const;
export type Evidence = (typeof kindsOfEvidence)[number];

/** The back end of a session. The other back end answers its tokens with 401. */
export const regions = ["international", "us"] as const;
export interface StateParameters {
  region: (typeof regions)[number];
}

interface ProviderState {
  /** The values that the provider returns, each with its example for the consumer's tests. */
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

/** One handler per state, which sets it up and returns its values. A missing handler does not compile. */
export type StateHandlers = {
  [S in StateName]: (parameters: StateParameters) => Promise<Record<ValueOf<S>, string>>;
};

export const isStateName = (name: string): name is StateName => Object.hasOwn(states, name);
