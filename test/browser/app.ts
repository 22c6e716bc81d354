/** The page of an application that signs its users in. The tests use it through `window.session`. */
import {
  createSession,
  type Renew,
  type Session,
  type SessionEvent,
  type SessionOptions,
  webStorageStore,
} from "baanx-session";

declare const SETTINGS: Pick<SessionOptions, "baseUrl" | "clientKey">;

declare global {
  interface Window {
    session: Session;
    /** All events of the session since the page was loaded. */
    events: SessionEvent[];
    /** Creates another session of the page, with the same storage. */
    sessionWith(options: Partial<SessionOptions>): Session;
    /** Runs before a renewal. */
    beforeRenewal?: () => void;
  }
}

/** Renews through the application's own server, which has the secret key. */
const renew: Renew = async ({ refreshToken }, { signal }) => {
  window.beforeRenewal?.();
  const response = await fetch("/renew", { method: "POST", body: refreshToken ?? "", signal });
  return response.status === 400 ? null : response.json();
};

const store = webStorageStore(() => localStorage);
const timeout = Number(new URLSearchParams(location.search).get("timeout") ?? 5_000);
const sessionWith = (options: Partial<SessionOptions>) =>
  createSession({ ...SETTINGS, store, renew, timeout, ...options });
const session = sessionWith({});
const events: SessionEvent[] = [];
session.subscribe((event) => events.push(event));
Object.assign(window, { session, sessionWith, events });

await session.ready();
document.title = "ready";
