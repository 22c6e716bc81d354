/** The sentences of this page for each value of a result, an error and an event. The compiler reports a missing one. */
import type { SessionEnd, SessionErrorCode, SessionEvent } from "baanx-session";

export type Tone = "good" | "waiting" | "bad" | "quiet";

export interface Words {
  tone: Tone;
  title: string;
  says: string;
}

export const server: Record<SessionEnd["server"], Words> = {
  confirmed: { tone: "good", title: "Confirmed", says: "The server confirmed that the session has ended." },
  "already-invalid": {
    tone: "good",
    title: "Already invalid",
    says: "The server no longer accepts the token.",
  },
  unconfirmed: { tone: "waiting", title: "Not confirmed", says: "The session may still be alive there." },
  superseded: { tone: "quiet", title: "Not sent", says: "It would have ended a newer sign-in." },
  expired: {
    tone: "quiet",
    title: "Expired",
    says: "The server did not confirm it within six hours, the lifetime of the token.",
  },
  "no-session": { tone: "quiet", title: "Nothing to end", says: "No user was signed in." },
};

export const local: Record<SessionEnd["local"], Words> = {
  cleared: { tone: "good", title: "Cleared", says: "This browser stores no token of it." },
  pending: {
    tone: "waiting",
    title: "Kept to be ended",
    says: "The token is stored only to end it on the server.",
  },
  failed: { tone: "bad", title: "Not cleared", says: "The browser may still store a token." },
};

/** For a session that had a refresh token. */
export const refreshToken = "Its refresh token may still be valid.";

export const errors: Record<SessionErrorCode, string> = {
  network: "The server cannot be reached.",
  timeout: "The server did not answer in time.",
  aborted: "The attempt was cancelled.",
  elsewhere: "Another tab ended it, or is asking the server.",
  "rate-limited": "The server asks to wait before the next attempt.",
  "server-error": "The server failed.",
  unauthorized: "The access token is invalid, which says nothing about the refresh token.",
  "client-key-invalid": "The server does not accept the client key.",
  "client-key-missing": "The server received no client key.",
  rejected: "The server refused the request.",
  "unexpected-response": "The answer is not one of the API.",
  "no-session": "No user is signed in.",
  "session-ended": "The session ended in the meantime.",
  "wrong-origin": "The request was for another server.",
  "fenced-path": "The path begins or ends a session.",
  "store-failed": "The storage of this browser is blocked, full or not readable.",
  "invalid-option": "An option of this page is not valid.",
};

export const unreachable = "The server does not answer as it should. Check the connection and try again.";

export const events: Record<SessionEvent["type"], { tone: Tone; title: string }> = {
  started: { tone: "good", title: "Signed in" },
  renewed: { tone: "good", title: "Tokens renewed" },
  "renew-failed": { tone: "waiting", title: "Renewal failed, still signed in" },
  "signed-out": { tone: "quiet", title: "Signed out" },
  // Shown with the answer of the server instead.
  settled: { tone: "good", title: "Settled" },
  "store-failed": { tone: "bad", title: "The storage failed" },
};

export const reasons: Record<NonNullable<SessionEvent["reason"]>, string> = {
  ended: "By this page",
  unauthorized: "The server no longer accepts the session",
  elsewhere: "In another tab",
};

export const endpoints: Record<SessionEnd["endpoint"], string> = { logout: "Logout", revoke: "Revocation" };

export const profile = ({
  email,
  verificationState,
}: {
  email?: string;
  verificationState?: string | null;
}) => [email, verificationState === "VERIFIED" ? "verified" : "not verified yet"].filter(Boolean).join(", ");

/** Returns the sentence for a page that was loaded without a session. */
export const noSession = (pending: number) =>
  pending > 0 ? "An earlier sign-out waits for the server" : "This browser stored no session";

/** Returns the sentence for an ending that is pending. */
export const waiting = (since: number, attempts: number) =>
  `since ${moment(since)}, asked ${attempts === 1 ? "once" : `${attempts} times`}; next when this page is online again, is loaded, or by the button`;

/** Returns the sentence for the results of a retry. */
export function flushed(ends: readonly SessionEnd[]): string {
  if (ends.some(({ server }) => server === "unconfirmed")) return "Still not confirmed. It will be retried.";
  return ends.length > 0 ? "Done: no ending is pending." : "Another tab is asking the server.";
}

/** Returns a time, with its day unless that is today. */
export function moment(time: number): string {
  const date = new Date(time);
  const clock = date.toLocaleTimeString("en-GB");
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday
    ? `today, ${clock}`
    : `${date.toLocaleDateString("en-GB", { day: "numeric", month: "long" })}, ${clock}`;
}
