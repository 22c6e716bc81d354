/** Plays the scenarios in one engine, with one browser and one site for all, and a new profile for each. */

import { afterAll, beforeAll, describe, inject, it } from "vitest";
import { type RunningExample, serveExample } from "../../examples/browser/serve.ts";
import type { Engine, EngineName, Profile } from "./engines/engine.ts";
import { missingHere } from "./engines/installed.ts";
import { scenarios } from "./scenarios.ts";
import { openSite, type Site } from "./site.ts";

/** The number of times that each scenario is played, each in a new profile. */
const times = Number(process.env["BROWSER_TIMES"] ?? 1);

export function playIn(name: EngineName, launch: () => Promise<Engine>): void {
  const missing = missingHere(name);
  describe.skipIf(missing)(name, () => {
    let site: Site;
    let example: RunningExample;
    let engine: Engine;

    beforeAll(async () => {
      const entry = inject("entry");
      [site, example, engine] = await Promise.all([openSite(entry), serveExample(entry, 0), launch()]);
      const notPlayed = scenarios.flatMap(({ name: title, not }) =>
        not?.[name] ? `  not played: ${title} (${not[name]})\n` : [],
      );
      process.stdout.write(`${name} ${engine.version}\n${notPlayed.join("")}`);
    });
    afterAll(async () => {
      await engine?.close();
      await example?.close();
      await site?.close();
    });

    for (const { name: title, not, play } of scenarios) {
      if (not?.[name]) continue;
      it(title, { repeats: times - 1 }, async () => {
        const profiles: Profile[] = [];
        try {
          await play({
            engine: name,
            site,
            example,
            async newProfile(options) {
              const profile = await engine.newProfile(options);
              profiles.push(profile);
              return profile;
            },
          });
        } finally {
          for (const profile of profiles) await profile.close().catch(() => {});
        }
      });
    }
  });
}
