/** The session of this page, as an application would make it. What is shown of it is left to `main.ts`. */
import { completedLogin, createBindings, createSession, webStorageStore } from "baanx-session";
import { simulatedFetch } from "./network.ts";

/** Where the API is; `npm run example` sets both for the sandbox that it starts. */
const api = {
  baseUrl: import.meta.env.VITE_BAANX_URL,
  clientKey: import.meta.env.VITE_BAANX_CLIENT_KEY,
  // For the switch "Go offline". An application leaves it out.
  fetch: simulatedFetch,
};

export const { baseUrl } = api;

/** Reading `localStorage` can throw, so it is given as a function. */
export const store = webStorageStore(() => localStorage);

/** At module scope: a page has one user. Nothing is read or sent before `ready()`. */
export const session = createSession({ ...api, store });

/** @returns why the user is not signed in, or undefined when they are */
export async function logIn(email: string, password: string): Promise<string | undefined> {
  const { data, response } = await createBindings(api).POST("/v1/auth/login", { body: { email, password } });
  // Also a 200 can be a login that is not complete, even one with a token.
  const login = completedLogin(data);
  if (!login) return response.ok ? "This user needs a second step." : "The server refused.";
  await session.start(login);
  return undefined;
}

/** Your own server ends the OAuth flow, since that takes a secret. Here the server of this page plays it. */
export async function authorize(): Promise<string | undefined> {
  const response = await simulatedFetch("/authorize", { method: "POST" });
  if (!response.ok) return "The server refused.";
  await session.start({ ...(await response.json()), grant: "oauth" });
  return undefined;
}

/** What the API says of the user, or undefined where it says nothing. */
export async function readUser() {
  const { response, data } = await session.client.GET("/v1/user");
  return response.ok ? data : undefined;
}
