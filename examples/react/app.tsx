/** A page with a session: its three states, the sign-in and the sign-out. */
import { useSession } from "baanx-session/react";
import { type FormEvent, Fragment, type ReactNode, useEffect, useState } from "react";
import { logIn, session } from "./session.ts";

export function App({ children }: { children: ReactNode }) {
  const { state, current } = useSession(session);
  // Restores the session, and retries the endings that were not confirmed. The second call of strict mode joins the first.
  useEffect(() => void session.ready(), []);

  if (state === "restoring") return <p role="status">One moment…</p>;
  if (state === "signed-out") return <SignIn />;
  return (
    <>
      {/* A new session gets new components: the next user must not see the data of the one before. */}
      <Fragment key={current?.id}>{children}</Fragment>
      <LogOut />
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

/** Disappears at once: the state changes before the server has answered. */
function LogOut() {
  return (
    <button type="button" onClick={() => void session.end()}>
      Log out
    </button>
  );
}
