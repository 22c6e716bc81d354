/** The session of the page, and what a component needs to know of it. */
import {
  completedLogin,
  createBindings,
  createSession,
  type SessionState,
  webStorageStore,
} from "baanx-session";
import { useSyncExternalStore } from "react";

const api = { baseUrl: "https://dev.api.baanx.com", clientKey: "your-client-key" };

/**
 * At module scope, where it does nothing yet. On a server that renders this page it stays like that: it is used in
 * effects and event handlers only, so it never holds a user there.
 */
export const session = createSession({ ...api, store: webStorageStore(() => localStorage) });

const getSnapshot = (): SessionState => session.state;
/** What a server renders, and a browser at first: nobody has read the storage yet. */
const getServerSnapshot = (): SessionState => "restoring";

/** `restoring` until the storage was read; changes at once when the session ends, in this tab or another. */
export const useSessionState = (): SessionState =>
  useSyncExternalStore(session.subscribe, getSnapshot, getServerSnapshot);

/** @returns whether the user is signed in now */
export async function logIn(email: string, password: string): Promise<boolean> {
  const { data } = await createBindings(api).POST("/v1/auth/login", { body: { email, password } });
  // A 200 may be a login that is not complete, even with a token: `isOtpRequired` or `phase` says what is missing.
  const login = completedLogin(data);
  if (!login) return false;
  await session.start(login);
  return true;
}
