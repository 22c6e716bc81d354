/** A browser without a network, a failing server, and a server that redirects requests. */
import { expect } from "vitest";
import { lastEvent, logOut, openOne, type Scenario, signIn, stateOf, untilState } from "./scenario.ts";

export const network: readonly Scenario[] = [
  {
    name: "A logout without a network is sent as soon as the browser is online again",
    not: { WebKit: "WebDriver cannot take the network from a browser" },
    async play(stage) {
      const { site } = stage;
      const { profile, tab } = await openOne(stage);
      const token = await signIn(site, tab);
      await profile.setOffline(true);
      await logOut(tab);
      expect(await lastEvent(tab)).toEqual({ type: "settled", server: "unconfirmed", code: "network" });
      expect(await stateOf(tab)).toEqual({ state: "signed-out", pending: 1 });
      await profile.setOffline(false);
      await untilState(tab, "signed-out", 0);
      expect(await lastEvent(tab)).toEqual({ type: "settled", server: "confirmed" });
      expect(site.provider.isAlive(token)).toBe(false);
    },
  },
  {
    name: "How long the server asks to wait is known where CORS lets the page read it",
    async play(stage) {
      const { site } = stage;
      const { tab } = await openOne(stage);
      await signIn(site, tab);
      const refused = { status: 429, headers: { "retry-after": "3600" } };
      site.provider.misbehave({ path: "/v1/auth/logout", times: 1, ...refused });
      const wait = await tab.run(async () => (await window.session.logout()).error?.retryAfter);
      expect(wait).toBe(3_600_000);
    },
  },
  {
    name: "A server that redirects gets no credentials sent to where it leads",
    async play(stage) {
      const { tab } = await openOne(stage);
      const { redirecting: baseUrl, leaked } = stage.site;
      const ends = await tab.run(async (to) => {
        const session = window.sessionWith({ baseUrl: to, retries: 0 });
        await session.start({ accessToken: "a-token-to-keep", grant: "oauth" });
        const { type, status } = await session.fetch(`${to}/v1/user`);
        const { server, error } = await session.end();
        return { type, status, server, code: error?.code };
      }, baseUrl);
      expect(ends).toEqual({
        type: "opaqueredirect",
        status: 0,
        server: "unconfirmed",
        code: "unexpected-response",
      });
      expect(leaked).toEqual([]);
      // Proves that the check above can fail: a fetch that follows redirects is recorded.
      await tab.run(
        (to) =>
          fetch(`${to}/v1/auth/logout`, { method: "POST", headers: { "x-client-key": "a-key" } }).then(
            () => {},
          ),
        baseUrl,
      );
      expect(leaked.join()).toContain('"x-client-key":"a-key"');
      leaked.length = 0;
    },
  },
];
