/** The session of this page, as an application would make it. What is shown of it is left to `main.ts`. */
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

/** Reading `localStorage` can throw, so it is given as a function. */
export const store = webStorageStore(() => localStorage);

/** At module scope: a page has one user. Nothing is read or sent before `ready()`. */
export const session = createSession({ ...api, store });

export interface Credentials {
  email: string;
  password: string;
  otpCode?: string;
}

/** What came of a sign-in; nothing of it when the user is signed in. */
export interface Outcome {
  /** Why they are not. */
  problem?: string;
  /** That it is what they have typed. */
  isRefused?: boolean;
  /** Where a one-time password was sent to, without which the login is not complete. */
  sentTo?: string;
}

/** Rejects when the server cannot be reached. */
export async function logIn(credentials: Credentials): Promise<Outcome> {
  const bindings = createBindings(api);
  const { data, response } = await bindings.POST("/v1/auth/login", { body: credentials });
  if (!response.ok) return refusal(response.status, credentials.otpCode !== undefined);
  // Also a 200 can be a login that is not complete, even one with a token.
  const login = completedLogin(data);
  if (login) {
    await session.start(login);
    return {};
  }
  if (!data?.isOtpRequired || !data.userId) return { problem: "This account is not registered to its end." };
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

/** Your own server ends the OAuth flow, since that takes a secret. Here the server of this page plays it. */
export async function authorize(): Promise<Outcome> {
  const response = await simulatedFetch("/authorize", { method: "POST" });
  if (!response.ok) return refusal(response.status);
  await session.start({ ...(await response.json()), grant: "oauth" });
  return {};
}

/** What the API says of the user, or undefined where it says nothing. */
export async function readUser() {
  const { response, data } = await session.client.GET("/v1/user");
  return response.ok ? data : undefined;
}
