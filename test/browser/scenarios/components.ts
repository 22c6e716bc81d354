/** The session in components of React, Vue and Svelte. */
import { expect, vi } from "vitest";
import type { Tab } from "../engines/engine.ts";
import { openTabs, type Scenario, signIn } from "./scenario.ts";

export const components: readonly Scenario[] = [
  {
    name: "Components of React, Vue and Svelte show the session of all tabs; those of React and Vue hydrate the page of a server",
    async play(stage) {
      const { site } = stage;
      const { profile, tabs } = await openTabs(stage, ["/components", "/components"]);
      const [one, other] = tabs;
      await untilEachShows(one, "signed-out , 0 pending");
      await signIn(site, one);
      const active = `active ${site.provider.user.id}, 0 pending`;
      await untilEachShows(one, active);
      await untilEachShows(other, active);
      // Hydrates with an active session.
      const third = await profile.open(`${site.pages}/components`);
      await untilEachShows(third, active);
      site.provider.misbehave({ path: "/v1/auth/logout", status: 403, times: 1 });
      await third.run(async () => void (await window.session.logout()));
      await untilEachShows(third, "signed-out , 1 pending");
      await untilEachShows(other, "signed-out , 1 pending");
      await third.run(async () => void (await window.session.flush()));
      await untilEachShows(third, "signed-out , 0 pending");
      for (const tab of [one, other, third]) expect(await tab.run(() => window.problems)).toEqual([]);
    },
  },
];

const untilEachShows = (tab: Tab, text: string) =>
  vi.waitFor(
    async () =>
      expect(
        await tab.run(() =>
          ["react", "vue", "svelte"].map((id) => document.getElementById(id)?.textContent?.trim()),
        ),
      ).toEqual([text, text, text]),
    { timeout: 30_000, interval: 20 },
  );
