/** Sequences that once ended in a false report, a lost token or a session that came back. */
import { expect, it } from "vitest";
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

it.each(found)("$name", async ({ steps, settings }) => {
  expect(await play(steps, settings)).toBeUndefined();
});
