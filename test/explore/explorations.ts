/** The explorations: what two tabs may do, and in how many steps. Each was chosen for the rules that it can break. */
import type { Exploration } from "./explore.ts";

/** Further steps than `npm test` plays: with `EXPLORE_DEEPER=1`, one more. */
const DEEPER = Number(process.env["EXPLORE_DEEPER"] ?? 0);

const names = (list: string) => list.split(", ");
const both = (list: string) => {
  const steps = names(list);
  return { A: steps, B: steps };
};
const deeper = (list: Record<string, Exploration>) =>
  Object.entries(list).map(([name, exploration]) => ({
    name,
    ...exploration,
    depth: exploration.depth + DEEPER,
  }));

/** Calls in every order, over stores that work. */
export const orders = deeper({
  "two tabs that sign in and out": {
    tabs: both("login, start, end, good, hear, reload"),
    depth: 3,
  },
  "two tabs that show one session": {
    tabs: both("login as a, end, good, lost, hear, stale"),
    before: "login as a A, hear B",
    depth: 3,
  },
  "two tabs with authorizations of one user": {
    tabs: both("start, end, good, refused, flush, hear"),
    before: "start A, hear B",
    depth: 3,
  },
  "two tabs that renew one session": {
    tabs: {
      A: names("end, good, hear, reload, renew, land nothing"),
      B: names("renew, stale, land, hear, login as a"),
    },
    before: "start A, hear B",
    depth: 4,
  },
  "two tabs that renew at once, without a lock": {
    tabs: both("renew, land, stale, hear, end, good"),
    before: "start A, hear B",
    depth: 3,
    settings: { isReusable: true },
  },
  "a tab that hears late": {
    tabs: { A: names("end, good, hear"), B: names("login, end, good, hear") },
    before: "stale B, login A",
    depth: 4,
  },
  "users and regions": {
    tabs: both("start, start twice, start as another, start in the us, end, good, hear"),
    depth: 3,
  },
  "two tabs in one millisecond": {
    tabs: both("login, end, good, stale, hear, reload"),
    depth: 4,
    settings: { isStill: true },
  },
  "listeners that call back": {
    tabs: {
      A: names(
        "start at the end, end at the answer, start at the renewal, end at the renewal, login as a, end, good, renew, land",
      ),
    },
    before: "start A",
    depth: 4,
  },
  "a session without a store": {
    tabs: {
      A: names(
        "start, login as a, end, logout, end and leave, good, refused, renew, land, land nothing, flush",
      ),
    },
    depth: 4,
    settings: { hasNoStore: true },
  },
  "two tabs whose stores answer by hand": {
    tabs: both("login, end, good, hear, deliver"),
    depth: 4,
    settings: { isSlow: true },
  },
});

/** Stores that fail, lose an acknowledgement or are cleared, pages that crash, and options that drop tokens. */
export const faults = deeper({
  "a store that fails": {
    tabs: both("login, end, good, fail twice, fail later, full, reload"),
    before: "login A",
    depth: 3,
  },
  "a store whose acknowledgements get lost": {
    tabs: {
      A: names("login, end, good, bad, unheard, unheard twice, unheard later, reload"),
      B: names("hear, end, good"),
    },
    before: "login A",
    depth: 3,
  },
  "a sign-in whose acknowledgement got lost": {
    tabs: { A: names("end, good, down, fail twice, clear, hear"), B: names("hear, end") },
    before: "unheard twice A, login A",
    depth: 4,
  },
  "a store that cannot be read": {
    tabs: both("login as a, end, good, unread, unread thrice, hear"),
    before: "login as a A",
    depth: 3,
  },
  "a store that is cleared": {
    tabs: both("login, end, good, hear, reload, clear"),
    before: "login A, hear B",
    depth: 3,
  },
  "pages that crash": {
    tabs: {
      A: names("end, good, login as a, crash at once, crash after a write"),
      B: names("end, good, fail twice, hear"),
    },
    before: "login as a A, hear B",
    depth: 4,
  },
  "unconfirmed endings that are discarded": {
    tabs: both("start, login as a, end, good, refused, hear, reload"),
    depth: 3,
    settings: { options: { onUnconfirmed: "discard" } },
  },
  "a tab whose store answers by hand, and fails": {
    tabs: {
      A: names(
        "login, start, end, end and leave, good, renew, land, fail, unheard, deliver, reload, wait long",
      ),
    },
    depth: 4,
    settings: { isSlow: true },
  },
  "a tab in one millisecond, before its store has answered": {
    tabs: { A: names("login, end, good, reload, deliver") },
    depth: 5,
    settings: { isSlow: true, isStill: true, isDescending: true },
  },
  "endings without a way to renew": {
    tabs: {
      A: names("start, login, revoke, end, good, refused, renew, flush, reload"),
      B: names("hear, end"),
    },
    depth: 3,
    settings: { hasNoRenew: true },
  },
});
