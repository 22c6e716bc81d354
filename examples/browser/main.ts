/** Connects the page with the session: a pressed button becomes a call, and each event updates the page. */
import { onRequest, setOffline } from "./network.ts";
import { authorize, baseUrl, type Credentials, logIn, type Outcome, readUser, session } from "./session.ts";
import {
  element,
  show,
  showAsking,
  showBusy,
  showEnd,
  showFlushed,
  showForm,
  showLogged,
  showOffline,
  showProblem,
  showProfile,
  showRequest,
} from "./view.ts";
import * as words from "./words.ts";

onRequest(showRequest);
session.subscribe((event) => {
  showLogged(event);
  if (event.end) showEnd(event.end);
  if (event.type === "started") void loadProfile();
  show();
});

// Restores the session from the storage, and retries the endings that were not confirmed on an earlier page.
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
  void attempt("password", event.submitter, () => logIn(credentials()));
});
element("one-time").addEventListener("submit", (event) => {
  event.preventDefault();
  void attempt("code", event.submitter, () =>
    logIn({ ...credentials(), otpCode: element("code").value.trim() }),
  );
});
element("back").addEventListener("click", () => {
  showProblem("");
  showForm("sign-in");
  element("password").focus();
});
element("authorize").addEventListener("click", ({ currentTarget }) => {
  void attempt("password", currentTarget, authorize);
});

// end() signs the user out at once and never rejects. It revokes a sign-in with OAuth and logs out any other; the result
// arrives as an event as well.
element("logout").addEventListener("click", () => {
  showFlushed("");
  const ending = session.end();
  showAsking(true);
  // The pressed button has disappeared: move the focus.
  element("session").focus();
  show();
  void ending.then(() => {
    showAsking(false);
    show();
  });
});
element("flush").addEventListener("click", async () => {
  showFlushed("Asking the server…");
  const ends = await session.flush();
  show();
  showFlushed(words.flushed(ends));
  // The button has disappeared if no ending is pending.
  if (session.pending === 0) element("waiting").focus();
});

element("offline").addEventListener("change", () => {
  const isOffline = element("offline").checked;
  showOffline(isOffline);
  setOffline(isOffline);
});

let isSigningIn = false;

/**
 * Signs in, once at a time: a button that is pressed twice must not begin two sessions.
 *
 * @param field - gets the focus if the server refused its content
 * @param button - the pressed one
 */
async function attempt(
  field: "password" | "code",
  button: EventTarget | null,
  signIn: () => Promise<Outcome>,
): Promise<void> {
  if (isSigningIn) return;
  isSigningIn = true;
  showProblem("");
  const showIdle = showBusy(button);
  const outcome = await signIn().catch((): Outcome => ({ problem: words.unreachable }));
  showIdle();
  isSigningIn = false;
  if (outcome.problem) {
    if (outcome.mayHaveCode) showForm("one-time");
    showProblem(outcome.problem, outcome.isRefused ? field : undefined);
    return;
  }
  showForm(outcome.sentTo ? "one-time" : "sign-in", outcome.sentTo);
  // The event came before the store was written.
  show();
  element(outcome.sentTo ? "code" : "session").focus();
}

async function loadProfile(): Promise<void> {
  showProfile("Asking…");
  try {
    const user = await readUser();
    showProfile(user ? words.profile(user) : "Not readable", user?.email);
  } catch {
    // The session ended in the meantime, or there was no answer.
    showProfile("Not reached");
  }
}
