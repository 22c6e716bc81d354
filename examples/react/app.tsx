/** A page with a session: its three states, the user, the sign-in, the sign-out and the pending endings. */
import type { SessionEnd } from "baanx-session";
import { useSession } from "baanx-session/react";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { logIn, session } from "./session.ts";

export function App({ children }: { children: ReactNode }) {
  const { state, current, pending } = useSession(session);
  const [end, setEnd] = useState<SessionEnd>();
  // Restores the session, and retries the endings that were not confirmed. The second call of strict mode joins the first.
  useEffect(() => void session.ready(), []);

  if (state === "restoring") return <p role="status">One moment…</p>;
  return (
    <>
      {state === "active" ? (
        <SignedIn key={current?.id} onEnd={setEnd}>
          {children}
        </SignedIn>
      ) : (
        <>
          {end && <p role="status">Signed out; on the server: {end.server}</p>}
          <SignIn />
        </>
      )}
      {pending > 0 && <p role="status">Sign-outs that the server has not confirmed yet: {pending}</p>}
    </>
  );
}

/** A new session gets new components, by their key: the next user must not see the data of the one before. */
function SignedIn({ children, onEnd }: { children: ReactNode; onEnd: (end: SessionEnd) => void }) {
  const { current } = useSession(session);
  return (
    <>
      <p>Signed in as {current?.userId ?? "a user"}</p>
      {children}
      <LogOut onEnd={onEnd} />
    </>
  );
}

function SignIn() {
  const [problem, setProblem] = useState("");

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    try {
      const isIn = await logIn(String(fields.get("email")), String(fields.get("password")));
      setProblem(isIn ? "" : "That did not work.");
    } catch {
      setProblem("The server cannot be reached.");
    }
  }

  return (
    <form onSubmit={submit}>
      <label>
        E-mail <input name="email" type="email" autoComplete="username" required />
      </label>
      <label>
        Password <input name="password" type="password" autoComplete="current-password" required />
      </label>
      <button type="submit">Sign in</button>
      <p role="alert">{problem}</p>
    </form>
  );
}

/** Disappears at once, before the server has answered: the result belongs to a component above. */
function LogOut({ onEnd }: { onEnd: (end: SessionEnd) => void }) {
  return (
    <button type="button" onClick={() => void session.end().then(onEnd)}>
      Log out
    </button>
  );
}
