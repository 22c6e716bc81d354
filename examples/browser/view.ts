/** Shows the session on the page. It decides nothing and calls no server. */
import type { Grant, SessionEnd, SessionErrorCode, SessionEvent, SessionState } from "baanx-session";
import type { SentRequest } from "./network.ts";
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
  if (!found) throw new Error(`The page lacks #${id}.`);
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

/** Older requests are dropped, so that the list needs no scrollbar. */
const SHOWN_REQUESTS = 10;

let form: "sign-in" | "one-time" = "sign-in";
/** Set while this tab waits for the answer to a logout. */
let isAsking = false;
/** The ending that was reported since the page was loaded, or since the last sign-in. */
let reported: SessionEnd | undefined;
/** The users who signed in on this page, by their id. */
const names = new Map<string, string>();

/** Shows everything that follows from the state of the session. */
export function show(): void {
  const { state, current, pending } = session;
  const { tone, title, says } = states[state];
  text("state", title);
  text(
    "state-says",
    isAsking && state === "signed-out" ? "The server is being asked to end the session." : says,
  );
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
  if (state === "active") reported = undefined;
  if (state === "active" || isAsking) element("end").hidden = true;
  void showStored();
  text("pending-count", String(pending));
  element("pending-count").dataset["tone"] = pending > 0 ? "waiting" : "quiet";
  element("no-pending").hidden = pending > 0;
  element("flush").hidden = pending === 0;
}

/** The shown part of a record. */
interface ShownRecord {
  startedAt: number;
  userId?: string;
  tokens?: object;
  ending?: { endpoint: SessionEnd["endpoint"]; since: number; attempt: number };
  outcome?: Exclude<SessionEnd["server"], "no-session">;
}

/**
 * Lists the endings that this browser stores; a session object gives their number only. Of the last sign-out it shows the
 * result that this tab has heard, or else the stored result: another tab, or this page before it was loaded, has asked.
 */
async function showStored(): Promise<void> {
  const records = (await readRecords()).sort((a, b) => b.startedAt - a.startedAt);
  // A record without tokens is over.
  element("pending").replaceChildren(
    ...records.flatMap(({ tokens, ending, userId }) =>
      tokens && ending ? [pendingItem(ending, userId)] : [],
    ),
  );
  if (session.state !== "signed-out" || isAsking) return;
  const [last] = records;
  if (reported) {
    showFact(
      "server",
      words.server[reported.server],
      reported.error?.code,
      reported.refreshToken && words.refreshToken,
    );
    showFact("local", words.local[reported.local], reported.storeError?.code);
  } else if (last?.ending) {
    showFact("server", words.server[last.outcome ?? "unconfirmed"], undefined);
    showFact("local", words.local[last.tokens ? "pending" : "cleared"], undefined);
  }
  element("end").hidden = !reported && !last?.ending;
  if (reported || last?.ending) text("end-time", words.moment(last?.ending?.since ?? Date.now()));
}

async function readRecords(): Promise<ShownRecord[]> {
  try {
    return Object.values(await store.read()).map((text): ShownRecord => JSON.parse(text));
  } catch {
    // The storage is blocked, which the session has reported.
    return [];
  }
}

function pendingItem(
  { endpoint, since, attempt }: NonNullable<ShownRecord["ending"]>,
  userId = "an unknown user",
): HTMLElement {
  const item = make("li");
  item.append(
    make("strong", `${words.endpoints[endpoint]} of ${names.get(userId) ?? userId}`),
    make("span", words.waiting(since, attempt)),
  );
  return item;
}

export function showEnd(end: SessionEnd): void {
  reported = end;
}

/** @param asking - whether this tab waits for the answer to a logout */
export function showAsking(asking: boolean): void {
  isAsking = asking;
}

/**
 * Shows that a button was pressed, and that its form waits.
 *
 * @returns a function that shows the form as before
 */
export function showBusy(button: EventTarget | null): () => void {
  if (!(button instanceof HTMLButtonElement)) return () => {};
  const label = button.textContent;
  const buttons = [...(button.form?.querySelectorAll("button") ?? [])];
  // Not `disabled`, which would lose the focus.
  for (const each of buttons) each.setAttribute("aria-disabled", "true");
  button.textContent = "One moment…";
  return () => {
    for (const each of buttons) each.removeAttribute("aria-disabled");
    button.textContent = label;
  };
}

/** Lists a request, with its answer once there is one. */
export function showRequest({ method, path, credentials, answer }: SentRequest): void {
  const item = make("li");
  const status = make("span", "…");
  item.append(make("strong", `${method} ${path}`), status, make("code", credentials));
  const list = element("wire");
  list.prepend(item);
  list.children[SHOWN_REQUESTS]?.remove();
  void answer.then((told) => {
    status.textContent = told;
  });
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
    type === "signed-out" && !reason && words.noSession(session.pending),
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
export function showProfile(profile: string, email?: string): void {
  if (session.current?.userId && email) names.set(session.current.userId, email);
  text("profile", profile);
}

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
