/** The session of this page, as an application would create it. `main.ts` decides on the view. */
import { createSession, webStorageStore } from "baanx-session";
import { type Credentials, logIn as logInBy } from "../page/log-in.ts";
import { simulatedFetch } from "./network.ts";
import { unreachable } from "./words.ts";

export type { Credentials } from "../page/log-in.ts";

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

/** The outcome of a sign-in; empty if the user is signed in. */
export interface Outcome {
  /** Why the user is not signed in. */
  problem?: string;
  /** The typed values were refused. */
  isRefused?: boolean;
  /** Where the one-time password was sent to that completes the login. */
  sentTo?: string;
  /** The user may have a one-time password, although this attempt did not send one. */
  mayHaveCode?: boolean;
}

/** Signs in by the recipe; each of its outcomes has words of its own here. */
export async function logIn(credentials: Credentials): Promise<Outcome> {
  const result = await logInBy(api, session, credentials);
  switch (result.outcome) {
    case "signed-in":
      return {};
    case "code-sent":
      return { sentTo: result.phoneNumber ?? "your phone" };
    case "code-refused":
      return { problem: "That one-time password is not right.", isRefused: true };
    case "registration-incomplete":
      return { problem: `This account is not registered to its end: ${result.phase} is missing.` };
    case "locked":
      return { problem: "This account is locked." };
    case "disabled":
      return { problem: "This account has been disabled." };
    case "refused":
      return { problem: "Wrong e-mail or password.", isRefused: true };
    case "rate-limited":
      return { problem: rateLimited(result.until), mayHaveCode: result.asksForCode === true };
    case "unavailable":
      return { problem: unreachable, mayHaveCode: result.asksForCode === true };
  }
}

const rateLimited = (until?: Date) =>
  `Too many attempts. Try again ${until ? `after ${until.toLocaleTimeString("en-GB")}` : "in a moment"}.`;

/** Stands for the OAuth sign-in of `../oauth`, whose authorization page the sandbox does not have. */
export async function authorize(): Promise<Outcome> {
  const response = await simulatedFetch("/authorize", { method: "POST" });
  if (!response.ok) return { problem: "The server could not sign you in. Try again later." };
  await session.start({ ...(await response.json()), grant: "oauth" });
  return {};
}

/** Returns the user, or undefined if the API answers with an error. */
export async function readUser() {
  const { response, data } = await session.client.GET("/v1/user");
  return response.ok ? data : undefined;
}
