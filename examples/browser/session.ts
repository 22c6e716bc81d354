/** The session of this page, as an application would create it. `main.ts` decides what is shown. */
import { completedLogin, createBindings, createSession, webStorageStore } from "baanx-session";
import { simulatedFetch } from "./network.ts";

/** Where the API is; `npm run example` sets both for the sandbox that it starts. */
const api = {
  baseUrl: import.meta.env.VITE_BAANX_URL,
  clientKey: import.meta.env.VITE_BAANX_CLIENT_KEY,
  // For the switch "Simulate being offline". An application leaves it out.
  fetch: simulatedFetch,
};

export const { baseUrl } = api;

/** A function, because reading `localStorage` can throw. */
export const store = webStorageStore(() => localStorage);

/** At module scope, because a page has one user. It reads and sends nothing before `ready()`. */
export const session = createSession({ ...api, store });

export interface Credentials {
  email: string;
  password: string;
  otpCode?: string;
}

/** The outcome of a sign-in; empty if the user is signed in. */
export interface Outcome {
  /** Why the user is not signed in. */
  problem?: string;
  /** Whether the typed values were refused. */
  isRefused?: boolean;
  /** Where the one-time password was sent to that completes the login. */
  sentTo?: string;
}

/** Rejects when the server cannot be reached. */
export async function logIn(credentials: Credentials): Promise<Outcome> {
  const bindings = createBindings(api);
  const { data, response } = await bindings.POST("/v1/auth/login", { body: credentials });
  if (!response.ok) return refusal(response.status, credentials.otpCode !== undefined);
  // A 200 may be a login that is not complete, even one with a token.
  const login = completedLogin(data);
  if (login) {
    await session.start(login);
    return {};
  }
  if (!data?.isOtpRequired || !data.userId)
    return { problem: "The registration of this account is not complete." };
  const sent = await bindings.POST("/v1/auth/login/otp", { body: { userId: data.userId } });
  return sent.response.ok ? { sentTo: data.phoneNumber ?? "your phone" } : refusal(sent.response.status);
}

function refusal(status: number, hasCode = false): Outcome {
  if (status === 401)
    return {
      problem: hasCode ? "That one-time password is not right." : "Wrong e-mail or password.",
      isRefused: true,
    };
  if (status === 429) return { problem: "Too many attempts. Wait a moment and try again." };
  return { problem: "The server could not sign you in. Try again later." };
}

/** Your own server completes the OAuth flow, which takes a secret. Here the server of this page plays it. */
export async function authorize(): Promise<Outcome> {
  const response = await simulatedFetch("/authorize", { method: "POST" });
  if (!response.ok) return refusal(response.status);
  await session.start({ ...(await response.json()), grant: "oauth" });
  return {};
}

/** Returns the user, or undefined if the API answers with an error. */
export async function readUser() {
  const { response, data } = await session.client.GET("/v1/user");
  return response.ok ? data : undefined;
}
