/** Connects the page with the session: what is pressed becomes a call, and every change becomes a new picture. */
import { setOffline } from "./network.ts";
import { authorize, baseUrl, logIn, readUser, session } from "./session.ts";
import { element, show, showEnd, showLogged, showNotice, showProblem, showProfile } from "./view.ts";

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

element("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  void attempt(() => logIn(element("email").value, element("password").value));
});
element("authorize").addEventListener("click", () => void attempt(authorize));

// An ending signs the user out at once and never rejects; what comes of it arrives as an event.
element("logout").addEventListener("click", () => end(session.logout()));
element("revoke").addEventListener("click", () => end(session.revoke()));
element("flush").addEventListener("click", () => void session.flush().then(show));

element("offline").addEventListener("change", () => {
  const isOffline = element("offline").checked;
  showNotice(isOffline ? "Simulated: this page refuses to send anything. Your network is untouched." : "");
  setOffline(isOffline);
});

/** The button that was pressed is gone by then: the focus goes to what took its place. */
function end(ending: Promise<unknown>): void {
  element("session").focus();
  show();
  void ending.then(show);
}

async function attempt(signIn: () => Promise<string | undefined>): Promise<void> {
  showProblem("");
  try {
    const problem = await signIn();
    showProblem(problem ?? "");
    // By now the storage has it, too: the event came before.
    show();
    if (!problem) element("session").focus();
  } catch {
    showProblem("The server cannot be reached.");
  }
}

async function loadProfile(): Promise<void> {
  showProfile("…");
  try {
    const user = await readUser();
    if (user) showProfile(`${user.id.slice(0, 8)}, ${user.verificationState ?? "unverified"}`.toLowerCase());
  } catch {
    // The session ended meanwhile, or there was no answer.
    showProfile("not reached");
  }
}
