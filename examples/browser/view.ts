/** Shows the session on the page. It decides nothing and calls no server. */
import type { Grant, SessionEnd, SessionErrorCode, SessionEvent, SessionState } from "baanx-session";
import { session, store } from "./session.ts";
import * as words from "./words.ts";

/** The elements of the page that are not plain ones. */
interface Elements {
  "sign-in": HTMLFormElement;
  email: HTMLInputElement;
  password: HTMLInputElement;
  code: HTMLInputElement;
  "one-time": HTMLFormElement;
  offline: HTMLInputElement;
}

export function element<Id extends string>(id: Id): Id extends keyof Elements ? Elements[Id] : HTMLElement;
export function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}.`);
  return found;
}

const states: Record<SessionState, { tone: words.Tone; title: string; says: string }> = {
  restoring: { tone: "waiting", title: "Restoring…", says: "Reading the storage of this browser." },
  active: { tone: "good", title: "Signed in", says: "This page sends its requests with your token." },
  "signed-out": { tone: "quiet", title: "Signed out", says: "This page sends no token." },
};

const grants: Record<Grant, { title: string; hint: string }> = {
  login: { title: "Password", hint: "Logging out ends this login." },
  oauth: { title: "OAuth", hint: "Logging out revokes every token of the OAuth client." },
};

let form: "sign-in" | "one-time" = "sign-in";
/** Whether an ending was reported since the page was loaded, or since the last sign-in. */
let hasEnd = false;

/** Shows everything that follows from the state of the session. */
export function show(): void {
  const { state, current, pending } = session;
  const { tone, title, says } = states[state];
  text("state", title);
  text("state-says", says);
  element("dot").dataset["tone"] = tone;
  element("sign-in").hidden = state !== "signed-out" || form !== "sign-in";
  element("one-time").hidden = state !== "signed-out" || form !== "one-time";
  element("signed-in").hidden = state !== "active";
  if (current) {
    const { title, hint } = grants[current.grant];
    text("grant", title);
    text("end-hint", hint);
    text("since", words.moment(current.startedAt));
  }
  // The last sign-out was that of an earlier session.
  if (state === "active") hasEnd = false;
  element("end").hidden = !hasEnd;
  void showPending();
  text("pending-count", String(pending));
  element("pending-count").dataset["tone"] = pending > 0 ? "waiting" : "quiet";
  element("no-pending").hidden = pending > 0;
  element("flush").hidden = pending === 0;
}

/** The shown part of a record. */
interface ShownRecord {
  tokens?: object;
  ending?: { endpoint: SessionEnd["endpoint"]; since: number };
}

/** Lists the endings that this browser stores; a session object gives their number only. */
async function showPending(): Promise<void> {
  const records = await readRecords();
  // A record without tokens is over.
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
    // The storage is blocked, which the session has reported.
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
  showFact("server", words.server[end.server], end.error?.code, end.refreshToken && words.refreshToken);
  showFact("local", words.local[end.local], end.storeError?.code);
}

function showFact(
  side: "server" | "local",
  { tone, title, says }: words.Words,
  code: SessionErrorCode | undefined,
  more?: string,
): void {
  element(`${side}-fact`).dataset["tone"] = tone;
  text(`${side}-value`, title);
  text(`${side}-says`, [code && words.errors[code], says, more].filter(Boolean).join(" "));
}

export function showLogged({ type, reason, end, error }: SessionEvent): void {
  const told = end ? { ...words.server[end.server], title: titleOf(end) } : words.events[type];
  const details = [
    reason && words.reasons[reason],
    type === "signed-out" && !reason && "This browser stored no session",
    end && `On this device: ${words.local[end.local].title.toLowerCase()}`,
    end?.error && words.errors[end.error.code],
    end?.refreshToken && words.refreshToken,
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

/** @param field - the field to be typed again, if the problem is one of them */
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

/** Leaves an unchanged text alone: a screen reader would read it again. */
function text(id: string, words: string): void {
  const target = element(id);
  if (target.textContent !== words) target.textContent = words;
}

function make(name: string, words = ""): HTMLElement {
  const made = document.createElement(name);
  made.textContent = words;
  return made;
}
