/** Connects the page with the session: what is pressed becomes a call, and every change becomes a new picture. */
import { setOffline } from "./network.ts";
import { authorize, baseUrl, type Credentials, logIn, type Outcome, readUser, session } from "./session.ts";
import {
  element,
  show,
  showEnd,
  showFlushed,
  showForm,
  showLogged,
  showOffline,
  showProblem,
  showProfile,
} from "./view.ts";
import * as words from "./words.ts";

session.subscribe((event) => {
  showLogged(event);
  if (event.end) showEnd(event.end);
  if (event.type === "started") void loadProfile();
  show();
});

// Restores the session from the storage, and tries again what an earlier page could not confirm.
void session.ready();

element("api").textContent = baseUrl;
element("email").value = import.meta.env.VITE_BAANX_EMAIL ?? "";
element("password").value = import.meta.env.VITE_BAANX_PASSWORD ?? "";
element("sign-in-hint").textContent = import.meta.env.VITE_BAANX_HINT ?? "";

const credentials = (): Credentials => ({
  email: element("email").value,
  password: element("password").value,
});

element("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  void attempt("password", () => logIn(credentials()));
});
element("one-time").addEventListener("submit", (event) => {
  event.preventDefault();
  void attempt("code", () => logIn({ ...credentials(), otpCode: element("code").value.trim() }));
});
element("back").addEventListener("click", () => {
  showProblem("");
  showForm("sign-in");
  element("password").focus();
});
element("authorize").addEventListener("click", () => void attempt("password", authorize));

// An ending signs the user out at once and never rejects; what comes of it arrives as an event.
element("logout").addEventListener("click", () => end(session.logout()));
element("revoke").addEventListener("click", () => end(session.revoke()));
element("flush").addEventListener("click", async () => {
  showFlushed("Asking the server…");
  const ends = await session.flush();
  show();
  showFlushed(words.flushed(ends));
  // The button is gone when nothing is left to try.
  if (session.pending === 0) element("waiting").focus();
});

element("offline").addEventListener("change", () => {
  const isOffline = element("offline").checked;
  showOffline(isOffline);
  setOffline(isOffline);
});

/** The button that was pressed is gone by then: the focus goes to what took its place. */
function end(ending: Promise<unknown>): void {
  showFlushed("");
  element("session").focus();
  show();
  void ending.then(show);
}

/** @param field - where the focus goes when it was of no use */
async function attempt(field: "password" | "code", signIn: () => Promise<Outcome>): Promise<void> {
  showProblem("");
  const outcome = await signIn().catch((): Outcome => ({ problem: words.unreachable }));
  if (outcome.problem) {
    if (outcome.mayHaveCode) showForm("one-time");
    showProblem(outcome.problem, outcome.isRefused ? field : undefined);
    return;
  }
  showForm(outcome.sentTo ? "one-time" : "sign-in", outcome.sentTo);
  // By now the storage has it, too: the event came before.
  show();
  element(outcome.sentTo ? "code" : "session").focus();
}

async function loadProfile(): Promise<void> {
  showProfile("Asking…");
  try {
    const user = await readUser();
    showProfile(user ? words.profile(user) : "Nothing of this user");
  } catch {
    // The session ended meanwhile, or there was no answer.
    showProfile("Not reached");
  }
}
