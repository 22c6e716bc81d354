/** What a scenario is, and what scenarios do again and again. */
import { expect, vi } from "vitest";
import type { RunningExample } from "../../../examples/browser/serve.ts";
import type { EngineName, Profile, ProfileOptions, Tab } from "../engines/engine.ts";
import type { Site } from "../site.ts";

export interface Scenario {
  name: string;
  /** The engines that cannot play it, and why. */
  not?: Partial<Record<EngineName, string>>;
  play(stage: Stage): Promise<void>;
}

/** What is set up for one scenario, and put away after it. */
export interface Stage {
  engine: EngineName;
  site: Site;
  example: RunningExample;
  /** A profile of its own, with nothing stored. */
  newProfile(options?: ProfileOptions): Promise<Profile>;
}

export async function openApp(site: Site, profile: Profile, path = "/app"): Promise<Tab> {
  const tab = await profile.open(site.pages + path);
  await untilReady(tab);
  return tab;
}

export async function goToApp(site: Site, tab: Tab, path = "/app"): Promise<void> {
  await tab.visit(site.pages + path);
  await untilReady(tab);
}

/** One profile, with as many tabs of the application as there are paths. */
export async function openTabs(
  { site, newProfile }: Stage,
  paths = ["/app", "/app"],
): Promise<{ profile: Profile; tabs: [Tab, Tab] }> {
  const profile = await newProfile();
  const [one = "/app", other = "/app"] = paths;
  return { profile, tabs: [await openApp(site, profile, one), await openApp(site, profile, other)] };
}

export async function openOne({ site, newProfile }: Stage): Promise<{ profile: Profile; tab: Tab }> {
  const profile = await newProfile();
  return { profile, tab: await openApp(site, profile) };
}

/** Signs a user in with a password, by default the one who always exists, and returns the access token. */
export async function signIn(site: Site, tab: Tab, userId?: string): Promise<string> {
  const tokens = site.provider.login(userId);
  await tab.run((given) => window.session.start({ ...given, grant: "login" }), tokens);
  return tokens.accessToken;
}

/** Signs the user in with an authorization, which can be renewed. */
export async function authorize(site: Site, tab: Tab) {
  const { accessToken, refreshToken, userId } = site.provider.authorize();
  const tokens = { accessToken, refreshToken, userId };
  await tab.run((given) => window.session.start({ ...given, grant: "oauth" }), tokens);
  return tokens;
}

/** Logs out, and resolves to what that came to. */
export const logOut = (tab: Tab) =>
  tab.run(async () => {
    const { server, local, error, storeError } = await window.session.logout();
    return { server, local, code: error?.code ?? storeError?.code };
  });

/** A call of a tab. */
export const callFrom = (site: Site, tab: Tab): Promise<string> =>
  tab.run(async (url) => {
    try {
      return `status ${(await window.session.fetch(url)).status}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }, `${site.api}/v1/user`);

/** What the session of a page says of itself. */
export const stateOf = (tab: Tab) =>
  tab.run(() => ({ state: window.session.state, pending: window.session.pending }));

/** The last event of a page, or the last of a type, without its words. */
export const lastEvent = (tab: Tab, of?: string) =>
  tab.run((wanted) => {
    const events = window.events.filter(({ type }) => !wanted || type === wanted);
    const { type, reason, end } = events.at(-1) ?? {};
    return { type, ...(reason && { reason }), ...(end && { server: end.server, code: end.error?.code }) };
  }, of ?? "");

/** A page that is on its way has nothing to say. */
export const until = <Given>(tab: Tab, isSo: (given: Given) => boolean, given: Given): Promise<void> =>
  vi.waitFor(async () => expect(await tab.run(isSo, given), `${isSo}`).toBe(true), {
    timeout: 30_000,
    interval: 10,
  });

/** Until its session has read the store and tried what was pending. */
export const untilReady = (tab: Tab) => until(tab, () => document.title === "ready", undefined);

export const untilAt = (tab: Tab, path: string) =>
  until(tab, (at) => location.pathname === at && document.readyState === "complete", path);

export const untilState = (tab: Tab, state: string, pending = 0) =>
  until(
    tab,
    (expected) => window.session.state === expected.state && window.session.pending === expected.pending,
    { state, pending },
  );

export const untilDead = (site: Site, token: string) =>
  vi.waitFor(() => expect(site.provider.isAlive(token)).toBe(false), { timeout: 30_000, interval: 5 });

/** Until the server has been asked for something, for which it may not have an answer yet. */
export const untilAsked = (site: Site, path: string, since: number) =>
  vi.waitFor(() => expect(site.provider.requests.slice(since).map((one) => one.path)).toContain(path), {
    timeout: 30_000,
    interval: 5,
  });

/** All that the pages of an origin have stored, as text. */
export const storedIn = (tab: Tab) => tab.run(() => JSON.stringify({ ...localStorage }));

export const elsewhere = { type: "signed-out", reason: "elsewhere" };

/**
 * An answer that comes when nobody waits any more. None at all would hold its connection for ever, since `keepalive`
 * outlives the tab, and WebKit has six for a host.
 */
export const tooLate = { status: 503, delay: 15_000 };
