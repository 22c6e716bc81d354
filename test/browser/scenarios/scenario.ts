/** The definition of a scenario, and shared steps. */
import { expect, vi } from "vitest";
import type { RunningExample } from "../../../examples/browser/serve.ts";
import type { EngineName, Profile, ProfileOptions, Tab } from "../engines/engine.ts";
import type { Site } from "../site.ts";

export interface Scenario {
  name: string;
  /** The engines that cannot play it, with the reason. */
  not?: Partial<Record<EngineName, string>>;
  play(stage: Stage): Promise<void>;
}

/** The set-up of one scenario, which is removed after it. */
export interface Stage {
  engine: EngineName;
  site: Site;
  example: RunningExample;
  /** Creates a profile with empty storage. */
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

/** Opens one profile, with one tab of the application per path. */
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

/** Signs a user in with a password, by default the existing one, and returns the access token. */
export async function signIn(site: Site, tab: Tab, userId?: string): Promise<string> {
  const tokens = site.provider.login(userId);
  await tab.run((given) => window.session.start({ ...given, grant: "login" }), tokens);
  return tokens.accessToken;
}

/** Signs the user in with a renewable authorization. */
export async function authorize(site: Site, tab: Tab) {
  const { accessToken, refreshToken, userId } = site.provider.authorize();
  const tokens = { accessToken, refreshToken, userId };
  await tab.run((given) => window.session.start({ ...given, grant: "oauth" }), tokens);
  return tokens;
}

/** Logs out, and resolves to the result. */
export const logOut = (tab: Tab) =>
  tab.run(async () => {
    const { server, local, error, storeError } = await window.session.logout();
    return { server, local, code: error?.code ?? storeError?.code };
  });

/** Makes a call in a tab. */
export const callFrom = (site: Site, tab: Tab): Promise<string> =>
  tab.run(async (url) => {
    try {
      return `status ${(await window.session.fetch(url)).status}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }, `${site.api}/v1/user`);

/** Returns the state of a page's session. */
export const stateOf = (tab: Tab) =>
  tab.run(() => ({ state: window.session.state, pending: window.session.pending }));

/** Returns the last event of a page, or the last of a type, without its message. */
export const lastEvent = (tab: Tab, of?: string) =>
  tab.run((wanted) => {
    const events = window.events.filter(({ type }) => !wanted || type === wanted);
    const { type, reason, end } = events.at(-1) ?? {};
    return { type, ...(reason && { reason }), ...(end && { server: end.server, code: end.error?.code }) };
  }, of ?? "");

/** Waits for a condition in a page. A page that is loading returns nothing. */
export const until = <Given>(tab: Tab, isSo: (given: Given) => boolean, given: Given): Promise<void> =>
  vi.waitFor(async () => expect(await tab.run(isSo, given), `${isSo}`).toBe(true), {
    timeout: 30_000,
    interval: 10,
  });

/** Waits until the session has read the store and tried the pending endings. */
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

/** Waits until the server has received a request, which may not be answered yet. */
export const untilAsked = (site: Site, path: string, since: number) =>
  vi.waitFor(() => expect(site.provider.requests.slice(since).map((one) => one.path)).toContain(path), {
    timeout: 30_000,
    interval: 5,
  });

/** Returns all storage of an origin's pages, as a string. */
export const storedIn = (tab: Tab) => tab.run(() => JSON.stringify({ ...localStorage }));

export const elsewhere = { type: "signed-out", reason: "elsewhere" };

/**
 * An answer that arrives after its caller has gone. Without an answer, the connection would stay open for ever, because
 * `keepalive` outlives the tab, and WebKit has six connections per host.
 */
export const tooLate = { status: 503, delay: 15_000 };
