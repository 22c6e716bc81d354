/** Puts what is known of the session on the page. It decides nothing and calls no server. */
import type { Grant, SessionEnd, SessionEvent, SessionState } from "baanx-session";
import { session, store } from "./session.ts";
import * as words from "./words.ts";

/** The elements of the page that are spoken to, and what they are. */
interface Elements {
  "sign-in": HTMLFormElement;
  email: HTMLInputElement;
  password: HTMLInputElement;
  offline: HTMLInputElement;
  revoke: HTMLButtonElement;
}

export function element<Id extends string>(id: Id): Id extends keyof Elements ? Elements[Id] : HTMLElement;
export function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}.`);
  return found;
}

const states: Record<SessionState, { tone: words.Tone; title: string; says: string }> = {
  restoring: { tone: "waiting", title: "Restoring…", says: "Reading what this browser has kept." },
  active: {
    tone: "good",
    title: "Signed in",
    says: "The requests of this page carry its token.",
  },
  "signed-out": { tone: "quiet", title: "Signed out", says: "No request carries a token any more." },
};

const grants: Record<Grant, { title: string; hint: string }> = {
  login: { title: "password", hint: "Only an OAuth authorization can be revoked." },
  oauth: { title: "OAuth", hint: "Revoking ends every token of this authorization." },
};

/** Everything that follows from the session's state. */
export function show(): void {
  const { state, pending } = session;
  const { tone, title, says } = states[state];
  text("state", title);
  text("state-says", says);
  element("dot").dataset["tone"] = tone;
  element("sign-in").hidden = state !== "signed-out";
  element("signed-in").hidden = state !== "active";
  showKept();
  text("pending-count", String(pending));
  element("pending-count").dataset["tone"] = pending > 0 ? "waiting" : "quiet";
  element("no-pending").hidden = pending > 0;
  element("flush").hidden = pending === 0;
}

/** What is shown of a record. */
interface Kept {
  grant: "login" | "oauth";
  tokens?: object;
  ending?: { endpoint: string; since: number };
}

/** What this browser has kept: the store is asked, since a session does not show its tokens. */
async function showKept(): Promise<void> {
  const records = Object.values(await store.read()).map((text): Kept => JSON.parse(text));
  const grant = records.find(({ ending }) => !ending)?.grant ?? "login";
  const { title, hint } = grants[grant];
  text("grant", title);
  text("revoke-hint", hint);
  element("revoke").disabled = grant !== "oauth";
  // One without tokens is over.
  const items = records.flatMap(({ tokens, ending }) =>
    tokens && ending ? [pendingItem(ending.endpoint, ending.since)] : [],
  );
  element("pending").replaceChildren(...items);
}

function pendingItem(endpoint: string, since: number): HTMLElement {
  const item = make("li");
  item.append(make("strong", endpoint), make("span", `since ${timeOf(since)}`));
  return item;
}

export function showEnd(end: SessionEnd): void {
  element("no-end").hidden = true;
  element("end").hidden = false;
  showFact("server", words.server[end.server], end.error?.code);
  showFact("local", words.local[end.local], end.storeError?.code);
}

function showFact(side: "server" | "local", { tone, title, says }: words.Words, code?: string): void {
  element(`${side}-fact`).dataset["tone"] = tone;
  text(`${side}-value`, title);
  text(`${side}-says`, code ? `${says} (${code})` : says);
}

export function showLogged({ type, reason, end, error }: SessionEvent): void {
  const told = end ? { ...words.server[end.server], title: titleOf(end) } : words.events[type];
  const details = [
    reason && words.reasons[reason],
    type === "signed-out" && !reason && "this browser had kept no session",
    end && `on this device: ${end.local}`,
    end?.error?.code,
    error?.message,
  ];
  const item = make("li");
  item.dataset["tone"] = told.tone;
  item.append(make("time", timeOf(Date.now())), make("strong", told.title));
  item.append(make("span", details.filter(Boolean).join(" · ")));
  element("log").prepend(item);
}

const titleOf = ({ endpoint, server }: SessionEnd): string =>
  `${endpoint === "logout" ? "Logout" : "Revocation"} ${words.server[server].title.toLowerCase()}`;

export const showNotice = (notice: string): void => text("offline-note", notice);
export const showProblem = (problem: string): void => text("problem", problem);
export const showProfile = (profile: string): void => text("profile", profile);

/** Not set again to what it was: a screen reader would say it again. */
function text(id: string, words: string): void {
  const target = element(id);
  if (target.textContent !== words) target.textContent = words;
}

function make(name: string, words = ""): HTMLElement {
  const made = document.createElement(name);
  made.textContent = words;
  return made;
}

const timeOf = (time: number): string => new Date(time).toLocaleTimeString("en-GB");
