/** The page of an application that signs its users in: what the tests reach as `window.session`. */
import {
  createSession,
  type Session,
  type SessionEvent,
  type SessionOptions,
  webStorageStore,
} from "baanx-session";

declare const SETTINGS: Pick<SessionOptions, "baseUrl" | "clientKey">;

declare global {
  interface Window {
    session: Session;
    /** All that the session has told since the page was loaded. */
    events: SessionEvent[];
    /** Another session of the page, with the same storage. */
    sessionWith(options: Partial<SessionOptions>): Session;
  }
}

const store = webStorageStore(() => localStorage);
const sessionWith = (options: Partial<SessionOptions>) => createSession({ ...SETTINGS, store, ...options });
const session = sessionWith({});
const events: SessionEvent[] = [];
session.subscribe((event) => events.push(event));
Object.assign(window, { session, sessionWith, events });

await session.ready();
document.title = "ready";
