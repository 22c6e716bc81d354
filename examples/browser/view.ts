/** Puts what is known of the session on the page. It decides nothing and calls no server. */
import type { Grant, SessionEnd, SessionErrorCode, SessionEvent, SessionState } from "baanx-session";
import { session, store } from "./session.ts";
import * as words from "./words.ts";

/** The elements of the page that are spoken to, and what they are. */
interface Elements {
  "sign-in": HTMLFormElement;
  email: HTMLInputElement;
  password: HTMLInputElement;
  code: HTMLInputElement;
  "one-time": HTMLFormElement;
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
  active: { tone: "good", title: "Signed in", says: "This page sends its requests with your token." },
  "signed-out": { tone: "quiet", title: "Signed out", says: "This page sends no token." },
};

const grants: Record<Grant, { title: string; hint: string }> = {
  login: { title: "Password", hint: "Only a sign-in with OAuth can be revoked." },
  oauth: { title: "OAuth", hint: "Revoking ends every token of the OAuth client." },
};

let form: "sign-in" | "one-time" = "sign-in";
/** Whether an ending has been told since the page was loaded, or since the last sign-in. */
let hasEnd = false;

/** Everything that follows from the session's state. */
export function show(): void {
  const { state, pending } = session;
  const { tone, title, says } = states[state];
  text("state", title);
  text("state-says", says);
  element("dot").dataset["tone"] = tone;
  element("sign-in").hidden = state !== "signed-out" || form !== "sign-in";
  element("one-time").hidden = state !== "signed-out" || form !== "one-time";
  element("signed-in").hidden = state !== "active";
  // The last sign-out is not this session's.
  if (state === "active") hasEnd = false;
  element("end").hidden = !hasEnd;
  showRecords();
  text("pending-count", String(pending));
  element("pending-count").dataset["tone"] = pending > 0 ? "waiting" : "quiet";
  element("no-pending").hidden = pending > 0;
  element("flush").hidden = pending === 0;
}

/** What is shown of a record. */
interface ShownRecord {
  grant: Grant;
  tokens?: object;
  ending?: { endpoint: SessionEnd["endpoint"]; since: number };
}

/** What this browser has kept: the store is asked, since a session does not show its tokens. */
async function showRecords(): Promise<void> {
  const records = await readRecords();
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
  const times = records.flatMap(({ ending }) => ending?.since ?? []);
  if (hasEnd) text("end-time", words.moment(times.length > 0 ? Math.max(...times) : Date.now()));
}

async function readRecords(): Promise<ShownRecord[]> {
  try {
    return Object.values(await store.read()).map((text): ShownRecord => JSON.parse(text));
  } catch {
    // The storage is blocked: the session has said so.
    return [];
  }
}

function pendingItem(endpoint: SessionEnd["endpoint"], since: number): HTMLElement {
  const item = make("li");
  item.append(make("strong", words.endpoints[endpoint]), make("span", `since ${words.moment(since)}`));
  return item;
}

export function showEnd(end: SessionEnd): void {
  hasEnd = true;
  showFact("server", words.server[end.server], end.error?.code);
  showFact("local", words.local[end.local], end.storeError?.code);
}

function showFact(
  side: "server" | "local",
  { tone, title, says }: words.Words,
  code?: SessionErrorCode,
): void {
  element(`${side}-fact`).dataset["tone"] = tone;
  text(`${side}-value`, title);
  text(`${side}-says`, code ? `${words.errors[code]} ${says}` : says);
}

export function showLogged({ type, reason, end, error }: SessionEvent): void {
  const told = end ? { ...words.server[end.server], title: titleOf(end) } : words.events[type];
  const details = [
    reason && words.reasons[reason],
    type === "signed-out" && !reason && "This browser had kept no session",
    end && `On this device: ${words.local[end.local].title.toLowerCase()}`,
    end?.error && words.errors[end.error.code],
    error && words.errors[error.code],
  ];
  const item = make("li");
  item.dataset["tone"] = told.tone;
  const time = make("time", new Date().toLocaleTimeString("en-GB"));
  item.append(time, make("strong", told.title), make("span", details.filter(Boolean).join(" · ")));
  element("log").prepend(item);
}

const titleOf = ({ endpoint, server }: SessionEnd): string =>
  `${words.endpoints[endpoint]}: ${words.server[server].title.toLowerCase()}`;

/** @param sentTo - where the one-time password was sent to */
export function showForm(next: typeof form, sentTo = ""): void {
  form = next;
  element("code").value = "";
  text("code-hint", sentTo && `It was sent to ${sentTo}. In the sandbox it is 123456.`);
  show();
}

/** @param field - what has to be typed again; without it, the fields are as good as before */
export function showProblem(problem: string, field?: "password" | "code"): void {
  text("problem", problem);
  for (const id of ["email", "password", "code"] as const) {
    if (problem && field && (id === field || (id === "email" && field === "password")))
      element(id).setAttribute("aria-invalid", "true");
    else element(id).removeAttribute("aria-invalid");
  }
  if (field) element(field).focus();
}

export function showOffline(isOffline: boolean): void {
  text("offline-hint", isOffline ? "On: this page sends nothing." : "Off: requests are sent.");
}

export const showFlushed = (result: string): void => text("flush-says", result);
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
