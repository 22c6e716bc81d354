/** Sequences that once ended in a false report, a lost token or a session that came back. */
import { expect, it } from "vitest";
import { faults, orders } from "./explore/explorations.ts";
import { play } from "./explore/explore.ts";
import type { Settings } from "./explore/world.ts";
import { useVirtualTime } from "./virtual-time.ts";

useVirtualTime();

const found: { name: string; steps: string; settings?: Settings }[] = [
  {
    name: "end() in a new tab reports the refresh token of an ending that another tab is sending",
    steps: "start A, end A, end B",
  },
  {
    name: "end() reports the ending that its read found pending, and that a sign-in superseded in the same step",
    steps: "start A, end A, end B, start B",
    settings: { isSlow: true },
  },
  {
    name: "end() ends the session of its tab although its read finds an older one of the same user",
    steps: "login as a A, unread B, login as a B, end B",
  },
  {
    name: "end() with an aborted signal does not report a failure of a store that works",
    steps: "end and leave A",
  },
  {
    name: "a data call renews although the newer tokens of another tab have expired, too",
    steps: "start A, hear B, renew A, land A, renew A, renew B",
    settings: { isReusable: true },
  },
  {
    name: "a retried revoke does not end the next sign-in after three reads have failed",
    steps: "start A, unread thrice A, revoke A, bad A, start B, hear A, wait A, good A",
    settings: { options: { retries: 2 } },
  },
  {
    name: "a revoke reads the store before each retry",
    steps: "start A, revoke A, bad A, start B, wait A, good A",
    settings: { options: { retries: 2 } },
  },
  {
    name: "a revoke that is flushed does not end the next sign-in while reads fail",
    steps: "start A, revoke A, refused A, unread thrice A, start B, flush A, good A",
  },
  {
    name: "an ending asks by the endpoint that another tab has stored",
    steps: "login A, start in the us A, login B, logout A",
    settings: { options: { onUnconfirmed: "discard" } },
  },
  {
    name: "a second end() reports failed while the store still holds the token of the first",
    steps: "unheard twice A, login A, down A, end A, good A, end A",
  },
];

/**
 * The rules that these sequences prove: with one of them removed, the exploration of that name finds the sequence first.
 */
const rules: Record<string, Record<string, string[]>> = {
  "two tabs that show one session": {
    "login as a A, hear B, login as a A": [
      "a device has one session",
      "tombstones are kept",
      "join: dropped tokens win",
    ],
    "login as a A, hear B, end A": ["join: an ending on either side is an ending"],
  },
  "two tabs with authorizations of one user": {
    "start A, hear B, start A": ["a revoke that would end the live session is superseded"],
  },
  "users and regions": {
    "start twice A": ["an ending with the live session's very access token is superseded"],
    "start A, start in the us A": ["superseded: only in the same region"],
    "start A, start as another A": ["superseded: only of the same user"],
    "login as a A, end A, start in the us B": ["matches: the same region"],
  },
  "a tab in one millisecond, before its store has answered": {
    "login A, login A": ["newest by startedAt"],
    "login A, deliver A, deliver A, reload A, login A": [
      "join: startedAt",
      "the first session is lifted over the records of the store",
    ],
  },
  "two tabs in one millisecond": {
    "stale A, login B, login A": ["of one moment, the greater id is newer"],
    "login A, end A, login B": ["matches: the same user", "matches: a known user only"],
    "end A, login B": ["the fence is cleared by a read that began after it"],
  },
  "two tabs that renew one session": {
    "start A, hear B, renew A, end A": ["join: generation"],
    "start A, hear B, renew A": ["join: tokens of the higher generation"],
  },
  "a tab that hears late": {
    "stale B, login A, login B, end B, good B": ["a session that is over keeps older ones out"],
  },
  "two tabs that renew at once, without a lock": {
    "start A, hear B, renew A, renew B": ["join: the greater tokens of one generation"],
  },
  "two tabs whose stores answer by hand": {
    "end A": ["the fence is set"],
    "login A, end B": ["the fence ends found sessions"],
    "login A, end B, login A": ["the fence spares later sessions"],
    "login A, end B, end B, deliver B": ["only such a read clears the fence"],
    "login A, login B, login A, end B": ["the fence spares another user's session"],
  },
  "a store that is cleared": {
    "login A, hear B, end A, good A, clear A": ["a key that is gone: live becomes pending"],
  },
  "a store that fails": {
    "login A, full A, login A, reload A": ["never remove the old key before the new string is stored"],
    "login A, full A, end A, good A": ["remove a live key although the tombstone cannot be written"],
    "login A, fail twice A, login A": ["a failed call is retried later"],
  },
  "a store that cannot be read": {
    "login as a A, unread B, end B": [
      "a read that fails says so",
      "a store that cannot be read is not empty",
    ],
    "login as a A, unread B, login as a B, end B": [
      "the ended session is ended although the read found another",
    ],
  },
  "a session without a store": {
    "start A, renew A, logout A, good A": ["tokens that land while an ending is asked are ended with it"],
    "start A, renew A, logout A": ["a newer generation is asked about again"],
  },
  "pages that crash": {
    "login as a A, hear B, login as a A, crash after a write A, end A": [
      "puts before removes, and never remove before stored",
    ],
  },
  "unconfirmed endings that are discarded": {
    "start A, login as a A": ["discard: nothing of an unconfirmed ending is written"],
  },
  "endings without a way to renew": {
    "start A, login A": ["without renew no refresh token is written"],
  },
  "two tabs that sign in and out": {
    "login A, end A, end B": ["endings that the read found pending are reported"],
  },
};
const proofs = Object.entries(rules).flatMap(([name, sequences]) =>
  Object.entries(sequences).map(([steps, proven]) => [proven.join("; "), name, steps] as const),
);

it.each(proofs)("keeps the rule: %s", async (_, name, steps) => {
  const exploration = [...orders, ...faults].find((one) => one.name === name);
  expect(await play(steps, exploration?.settings)).toBeUndefined();
});

it.each(found.map(({ name, ...row }) => [name, row] as const))("%s", async (_, { steps, settings }) => {
  expect(await play(steps, settings)).toBeUndefined();
});
