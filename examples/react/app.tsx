/** A page with a session: what is shown in each state, and a way out. */
import { useSession } from "baanx-session/react";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { logIn, session } from "./session.ts";

export function App({ children }: { children: ReactNode }) {
  const { state } = useSession(session);
  // Reads the storage, and tries again what an earlier page could not confirm. Twice, in strict mode, is once.
  useEffect(() => void session.ready(), []);

  if (state === "restoring") return <p role="status">One moment…</p>;
  if (state === "signed-out") return <SignIn />;
  return (
    <>
      {/* The next user must not see the pages of the one before: what is beneath goes with the session. */}
      {children}
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

/** It is gone as soon as it is pressed: the state changes before the server has answered. */
function LogOut() {
  return (
    <button type="button" onClick={() => void session.end()}>
      Log out
    </button>
  );
}
