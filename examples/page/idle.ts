/** Signs out a user who does nothing for a while, in all tabs at once. */
import type { Session } from "baanx-session";

export interface IdleOptions {
  /** ms without a touch or a key in any tab. */
  after: number;
  /** Shared by the tabs: the time of the last activity is kept in it. */
  storage: Pick<Storage, "getItem" | "setItem">;
  /** Where activity is heard. Default: the page. */
  page?: EventTarget;
}

const KEY = "last-activity";
const ACTIVITY = ["pointerdown", "keydown", "wheel", "touchmove"];

/**
 * Call it right after `createSession`, before anything else: a page that is opened after the time is over ends the
 * session that it finds.
 *
 * @returns what ends it
 */
export function endWhenIdle(
  session: Pick<Session, "state" | "end" | "subscribe">,
  { after, storage, page = globalThis }: IdleOptions,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const noteActivity = () => storage.setItem(KEY, `${Date.now()}`);
  const idleFor = () => Date.now() - Number(storage.getItem(KEY) ?? Date.now());

  /** Ends the session when it is time, and looks again when it may be. */
  function check(): void {
    clearTimeout(timer);
    if (session.state === "signed-out") return;
    const left = after - idleFor();
    // The longest time that a timer takes.
    if (left > 0) timer = setTimeout(check, Math.min(left, 2_147_483_647));
    else void session.end();
  }

  function heard(): void {
    // A touch that wakes a computer comes before its timers, and must not keep the session.
    check();
    if (idleFor() < 0 || idleFor() > 1_000 || storage.getItem(KEY) === null) noteActivity();
  }

  check();
  const unsubscribe = session.subscribe(({ type }) => {
    // Whoever signs in is there, in whichever tab.
    if (type === "started") noteActivity();
    check();
  });
  for (const type of ACTIVITY) page.addEventListener(type, heard, { passive: true });
  for (const type of ["visibilitychange", "pageshow"]) page.addEventListener(type, check);
  return () => {
    clearTimeout(timer);
    unsubscribe();
    for (const type of ACTIVITY) page.removeEventListener(type, heard);
    for (const type of ["visibilitychange", "pageshow"]) page.removeEventListener(type, check);
  };
}
