/** What must be true of tabs, store and server when all is quiet. */
import { pendingOf, sessionFor, sessionOf } from "../../src/ledger.ts";
import { serialize } from "../../src/record.ts";
import type { Browser } from "./browser.ts";
import type { Server } from "./server.ts";
import type { Settings, Tab } from "./world.ts";

/** What was noted on the way. */
export interface Notes {
  /** What nobody could have kept: its page was gone before it was written, or somebody removed it from the store. */
  lost: Set<string>;
  /** What was perhaps ended by a page that had not written it down. */
  perhapsDead: Set<string>;
  /** What a rule has given up for a newer sign-in. */
  superseded: Set<string>;
  /** What a tab said was cleared, and was not. */
  falselyCleared: Set<string>;
  /** What was lent to a tab of another user. */
  lent: Set<string>;
}

interface Evidence {
  tabs: readonly Tab[];
  browser: Browser;
  server: Server;
  notes: Notes;
  settings: Settings;
}

/** What is wrong; undefined where nothing is. */
export function account(evidence: Evidence): string | undefined {
  const { falselyCleared, lent } = evidence.notes;
  if (falselyCleared.size > 0) return `said to be cleared, and still stored: ${[...falselyCleared].join()}`;
  if (lent.size > 0) return `a tab of another user shows the session: ${[...lent].join()}`;
  return ofTokens(evidence) ?? ofTabs(evidence) ?? ofNewest(evidence) ?? ofStore(evidence);
}

function ofTokens({ tabs: [first], server, notes, settings }: Evidence): string | undefined {
  if (!first) return "no tabs";
  const { ledger } = first.sync;
  const known = [sessionOf(ledger), ...pendingOf(ledger)].map((record) => record?.tokens.accessToken);
  for (const [token, signIn] of server.alive) {
    // A revoke of it would end the newer authorization of the same user, which is why it is given up.
    const isReplaced =
      signIn.grant === "oauth" &&
      server.signIns.some(
        ({ grant, userId, at }) => grant === "oauth" && userId === signIn.userId && at > signIn.at,
      );
    if (isReplaced && notes.superseded.has(token)) continue;
    // Of two renewals at once one is kept: a revoke ends the other with it.
    const isKnown = known.includes(token) || (settings.isUnlocked && ledger.get(signIn.id)?.tokens);
    if (!isKnown && !notes.lost.has(token))
      return `a token is alive and nobody knows of it: ${token} of sign-in ${signIn.id}`;
  }
  return undefined;
}

function ofTabs({ tabs, server, notes }: Evidence): string | undefined {
  for (const { shown, sync } of tabs) {
    const session = sessionOf(sync.ledger);
    const shows = sessionFor(shown, sync.ledger);
    const signIn = server.ownerOf(shows?.tokens.accessToken);
    if (signIn?.isEnded) return `a session that was ended is active: ${signIn.id}`;
    if (shows && shows.generation > 0 && !shows.userId)
      return `nobody knows whose it is any more: ${shows.id}`;
    if (session && !shows && shown?.userId && shown.userId === session.userId)
      return `a tab of the same user does not show the session: ${session.id}`;
    const isPerhapsDead = signIn?.tokens.some((token) => notes.perhapsDead.has(token));
    const isLost = notes.lost.has(signIn?.tokens.at(-1) ?? "");
    if (signIn && !server.alive.has(shows?.tokens.accessToken ?? "") && !isPerhapsDead && !isLost)
      return `a tab shows a session whose token is dead: ${signIn.id}`;
  }
  return undefined;
}

function ofNewest({ tabs: [first], server, notes, settings }: Evidence): string | undefined {
  const newest = server.signIns.at(-1);
  const isLost = newest?.tokens.some((token) => notes.lost.has(token));
  if (!first || !newest || newest.isEnded || isLost) return undefined;
  const session = sessionOf(first.sync.ledger);
  // Of what two tabs do in one moment without a word, nobody knows the order: one of them lives, where nothing was ended.
  const isAnyRight = settings.isStill && !settings.isSlow;
  const isRight = isAnyRight
    ? session || server.signIns.some(({ isEnded }) => isEnded)
    : session?.id === newest.id;
  return isRight ? undefined : `the newest sign-in does not live: ${newest.id}`;
}

function ofStore({ tabs, browser }: Evidence): string | undefined {
  const ledgers = tabs.map(({ sync }) => [...sync.ledger.values()].map((record) => serialize(record)).sort());
  const [ours = [], theirs = []] = ledgers;
  if (ours.join() !== theirs.join()) return `the tabs disagree: ${ours.join()} / ${theirs.join()}`;
  const held = [...browser.held.values()].sort();
  return held.join() === ours.join() ? undefined : `the store holds ${held.join()}, not ${ours.join()}`;
}
