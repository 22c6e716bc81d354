/** What this page says of each value that the session tells. The compiler knows when one is missing. */
import type { SessionEnd, SessionErrorCode, SessionEvent } from "baanx-session";

export type Tone = "good" | "waiting" | "bad" | "quiet";

export interface Words {
  tone: Tone;
  title: string;
  says: string;
}

export const server: Record<SessionEnd["server"], Words> = {
  confirmed: { tone: "good", title: "Confirmed", says: "The server said that the session is over." },
  "already-invalid": {
    tone: "good",
    title: "Already over",
    says: "The server does not accept this session any more.",
  },
  unconfirmed: { tone: "waiting", title: "Not confirmed", says: "The session may still be alive there." },
  superseded: { tone: "quiet", title: "Given up", says: "It would have ended a newer sign-in." },
  expired: { tone: "quiet", title: "Expired", says: "Six hours passed before the server could be asked." },
  "no-session": { tone: "quiet", title: "Nothing to end", says: "Nobody was signed in." },
};

export const local: Record<SessionEnd["local"], Words> = {
  cleared: { tone: "good", title: "Cleared", says: "No token is left here." },
  pending: {
    tone: "waiting",
    title: "Kept to be ended",
    says: "The token is out of use here, and waits for the server.",
  },
  failed: { tone: "bad", title: "Not cleared", says: "The browser did not delete what it was asked to." },
};

export const errors: Record<SessionErrorCode, string> = {
  network: "It cannot be reached.",
  timeout: "It did not answer in time.",
  aborted: "The attempt was broken off.",
  "rate-limited": "It asks to wait before the next attempt.",
  "server-error": "It has a problem of its own.",
  unauthorized: "The token has expired, and it says nothing of the others.",
  "client-key-invalid": "It does not know this application.",
  "client-key-missing": "It was not told which application asks.",
  rejected: "It refused the request.",
  "unexpected-response": "Its answer makes no sense.",
  "no-session": "Nobody is signed in.",
  "session-ended": "The session ended meanwhile.",
  "wrong-origin": "The request was meant for another server.",
  "store-failed": "The browser's storage is blocked or full.",
  "invalid-option": "The page asked for something wrong.",
};

export const unreachable = "The server does not answer as it should. Check the connection and try again.";

export const events: Record<SessionEvent["type"], { tone: Tone; title: string }> = {
  started: { tone: "good", title: "Signed in" },
  renewed: { tone: "good", title: "Tokens renewed" },
  "signed-out": { tone: "quiet", title: "Signed out" },
  // Instead of it, what the server said.
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

/** What came of trying again. */
export function flushed(ends: readonly SessionEnd[]): string {
  if (ends.some(({ server }) => server === "unconfirmed"))
    return "Still not confirmed. It will be tried again.";
  return ends.length > 0 ? "Done: nothing waits any more." : "Another tab is asking at this moment.";
}

/** A moment, with its day where that is not today. */
export function moment(time: number): string {
  const date = new Date(time);
  const clock = date.toLocaleTimeString("en-GB");
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday
    ? `today, ${clock}`
    : `${date.toLocaleDateString("en-GB", { day: "numeric", month: "long" })}, ${clock}`;
}
