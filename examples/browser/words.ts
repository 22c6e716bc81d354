/** What this page says of each value that an ending resolves to. The compiler knows when one is missing. */
import type { SessionEnd, SessionEvent } from "baanx-session";

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
    title: "Already invalid",
    says: "The server does not accept this token any more.",
  },
  unconfirmed: {
    tone: "waiting",
    title: "Unconfirmed",
    says: "Nobody can say yet. The token may still be alive.",
  },
  superseded: { tone: "quiet", title: "Superseded", says: "Given up: it would have ended a newer sign-in." },
  expired: {
    tone: "quiet",
    title: "Expired",
    says: "The token outlived its six hours before anybody could be asked.",
  },
  "no-session": { tone: "quiet", title: "No session", says: "There was nothing to end." },
};

export const local: Record<SessionEnd["local"], Words> = {
  cleared: { tone: "good", title: "Cleared", says: "Nothing of the session is left here." },
  pending: { tone: "waiting", title: "Pending", says: "The token is out of use, and kept only to be ended." },
  failed: { tone: "bad", title: "Failed", says: "The storage did not do what it was asked." },
};

export const events: Record<SessionEvent["type"], { tone: Tone; title: string }> = {
  started: { tone: "good", title: "A session began" },
  renewed: { tone: "good", title: "It has new tokens" },
  "signed-out": { tone: "quiet", title: "Signed out" },
  // Instead of it, what the server said.
  settled: { tone: "good", title: "Settled" },
  "store-failed": { tone: "bad", title: "The storage failed" },
};

export const reasons: Record<NonNullable<SessionEvent["reason"]>, string> = {
  ended: "by this page",
  unauthorized: "the server no longer accepts the token",
  elsewhere: "in another tab",
};
