"use client";

/**
 * The sign-in and the sign-out: a client component, since the session lives in the browser. Give components that show data
 * of the user the key `current.id`: the next user must not see the data of the one before.
 */
import type { SessionEnd } from "baanx-session";
import { useSession } from "baanx-session/react";
import { type FormEvent, useState } from "react";
import { logIn, session } from "./session";

export function Account() {
  const { state, current, pending } = useSession(session);
  const [problem, setProblem] = useState("");
  const [end, setEnd] = useState<SessionEnd>();

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
    <>
      <p id="state" role="status">
        {state} {current?.userId}
        {pending > 0 && `, ${pending} not confirmed`}
      </p>
      {state === "active" && (
        <button type="button" onClick={() => void session.end().then(setEnd)}>
          Log out
        </button>
      )}
      {state === "signed-out" && end && <p role="status">On the server: {end.server}</p>}
      {state === "signed-out" && (
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
      )}
    </>
  );
}
