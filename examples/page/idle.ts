/** Signs out a user who does nothing for a while, in all tabs at once. */
import type { Session } from "baanx-session";

export interface IdleOptions {
  /** Milliseconds without a touch or a key in any tab. */
  after: number;
  /** Shared by the tabs: it holds the time of the last activity. */
  storage: Pick<Storage, "getItem" | "setItem">;
  /** Receives the events of activity. Default: the page. */
  page?: EventTarget;
}

const KEY = "last-activity";
const ACTIVITY = ["pointerdown", "keydown", "wheel", "touchmove"];

/**
 * Ends the session after a time without activity. Call it right after `createSession`: a page that is opened after that
 * time ends the session that it finds.
 *
 * @returns the function that stops it
 */
export function endWhenIdle(
  session: Pick<Session, "state" | "end" | "subscribe">,
  { after, storage, page = globalThis }: IdleOptions,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const noteActivity = () => storage.setItem(KEY, `${Date.now()}`);
  const idleFor = () => Date.now() - Number(storage.getItem(KEY) ?? Date.now());

  /** Ends the session if it is time, or else checks again later. */
  function check(): void {
    clearTimeout(timer);
    if (session.state === "signed-out") return;
    const left = after - idleFor();
    // A timer takes no longer time.
    if (left > 0) timer = setTimeout(check, Math.min(left, 2_147_483_647));
    else void session.end();
  }

  function onActivity(): void {
    // A touch that wakes a computer comes before its timers, and must not extend the session.
    check();
    if (idleFor() < 0 || idleFor() > 1_000 || storage.getItem(KEY) === null) noteActivity();
  }

  check();
  const unsubscribe = session.subscribe(({ type }) => {
    // A sign-in is activity, in any tab.
    if (type === "started") noteActivity();
    check();
  });
  for (const type of ACTIVITY) page.addEventListener(type, onActivity, { passive: true });
  for (const type of ["visibilitychange", "pageshow"]) page.addEventListener(type, check);
  return () => {
    clearTimeout(timer);
    unsubscribe();
    for (const type of ACTIVITY) page.removeEventListener(type, onActivity);
    for (const type of ["visibilitychange", "pageshow"]) page.removeEventListener(type, check);
  };
}
