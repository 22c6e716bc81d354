/**
 * When it is no use to go on with a list: every answer of a kind that says nothing of the token at hand. A server that
 * is slow or refuses one token is none of that.
 */
import { SessionError, type SessionErrorCode } from "../../errors.ts";
import { causeOf, said } from "../outcome.ts";

/** So many answers of one kind in a row. */
const LIMIT = 20;

const kinds: Partial<Record<SessionErrorCode, string>> = {
  network: "the server does not answer",
  timeout: "the server does not answer",
  "client-key-invalid": "the server does not accept the client key",
  "client-key-missing": "the server says that it was given no client key",
};

/** @param giveUp - told once, and why */
export function createWatch(giveUp: (reason: string) => void): (answer: string | SessionError) => void {
  let last: string | undefined;
  let inARow = 0;
  return (answer) => {
    const kind = answer instanceof SessionError ? kinds[answer.code] : undefined;
    inARow = kind !== undefined && kind === last ? inARow + 1 : 1;
    last = kind;
    if (answer instanceof SessionError && kind !== undefined && inARow === LIMIT)
      giveUp(`${kind}, ${LIMIT} times in a row (${causeOf(answer) ? said(answer) : answer.message})`);
  };
}
