/**
 * Every fallible call fails once, before its effect and after it: each call of a store, each request and each renewal of
 * these scenarios. The oracle of the explorer compares every report with the truth.
 */
import { describe, expect, it } from "vitest";
import type { Effect } from "./explore/browser.ts";
import { play } from "./explore/explore.ts";
import type { Settings } from "./explore/world.ts";
import { useVirtualTime } from "./virtual-time.ts";

useVirtualTime();

const scenarios: Record<string, string> = {
  "sign in": "login A",
  "sign out": "login A, end A",
  "sign in over a session": "login as a A, login as a A",
  "sign in over an authorization": "start A, start A, end A",
  "sign in as another user": "start A, start as another A, end A",
  "renew, and sign out": "start A, renew A, wait A, end A, wait A",
  "revoke with an expired token": "start A, renew A, land nothing A, revoke A, wait A",
  "log out of an authorization": "start A, logout A",
  "restore, and sign out": "login as a A, reload A, end A",
  "restore what another tab has ended": "start A, hear B, end A, reload B, end B",
  "retry a pending ending": "login A, end A, reload A, flush A",
  "sign out in two tabs": "start A, hear B, end A, end B, hear A",
  "sign in in two tabs": "login as a A, login as a B, hear A, end A",
  "clear storage": "login A, hear B, clear A, hear B, end A",
  "crash, and restore": "login as a A, crash after a write A, end A, flush A",
};

/** Plays a scenario in which call number `at` fails, and counts the calls. */
async function torture(steps: string, settings: Settings, at: number, effect: Effect) {
  const calls: string[] = [];
  const fault = (kind: string) => (calls.push(kind) === at ? effect : undefined);
  const problem = await play(steps, { ...settings, isAutomatic: true, fault });
  return { calls, problem };
}

const stores: Record<string, Settings> = {
  "a store that answers at once": {},
  "a store that answers later": { isSlow: true },
  "discarded endings": { options: { onUnconfirmed: "discard" } },
  "one retry": { options: { retries: 1 } },
};

describe.each(Object.entries(stores))("with %s", (_, settings) => {
  it.each(Object.entries(scenarios))("survives a failure of each call: %s", async (_name, steps) => {
    const { calls } = await torture(steps, settings, 0, undefined);
    expect(calls.length).toBeGreaterThan(1);
    const problems: string[] = [];
    for (let at = 1; at <= calls.length; at++)
      for (const effect of ["before", "after"] as const) {
        const { problem } = await torture(steps, settings, at, effect);
        if (problem) problems.push(`call ${at}, ${calls[at - 1]}, ${effect} its effect: ${problem}`);
      }
    expect(problems).toEqual([]);
  });
});
