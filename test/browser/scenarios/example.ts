/** The example page as a user sees it: by its texts and by keyboard. Also takes its pictures. */
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, vi } from "vitest";
import type { ProfileOptions, Tab } from "../engines/engine.ts";
import { type Scenario, type Stage, until } from "./scenario.ts";

/** The folder for pictures, if requested. */
const pictures = process.env["EXAMPLE_SCREENSHOTS"];

const desktop = [1200, 820] as const;
const phone = [390, 844] as const;

export const example: readonly Scenario[] = [
  {
    name: "Example page: by keyboard alone, from the sign-in to a second try of the logout",
    async play(stage) {
      const { tab } = await openExample(stage);
      await tabTo(tab, "Sign in");
      await tab.press("Enter");
      await untilTitled(tab, "Signed in");
      await tabTo(tab, "offline", "Shift+Tab");
      await tab.press(" ");
      await untilShown(tab, "offline-hint", "On: this page sends nothing.");
      await tabTo(tab, "Log out");
      await tab.press("Enter");
      await untilTold(tab, "Not confirmed", "Kept to be ended");
      await tabTo(tab, "Try again now");
      await tab.press("Enter");
      await untilShown(tab, "flush-says", "Still not confirmed. It will be retried.");
      // The network is back. Only the button retries, because no event occurs.
      stage.example.provider.misbehave({ path: "/v1/auth/logout", status: 503, times: 3 });
      await tabTo(tab, "offline", "Shift+Tab");
      await tab.press(" ");
      await untilShown(tab, "server-says", "The server failed. The session may still be alive there.");
      await tabTo(tab, "Try again now");
      await tab.press("Enter");
      await untilTold(tab, "Confirmed", "Cleared");
      await untilShown(tab, "flush-says", "Done: no ending is pending.");
      // The button disappears, but the focus is not lost.
      expect(await tab.run(() => document.activeElement?.id)).toBe("waiting");
    },
  },
  {
    name: "Example page: a wrong password says so, and every change is announced once",
    async play(stage) {
      const { tab } = await openExample(stage);
      await tab.run(recordAnnouncements);
      await fill(tab, "password", "wrong");
      await press(tab, "Sign in");
      await untilShown(tab, "problem", "Wrong e-mail or password.");
      expect(await tab.run(() => document.activeElement?.id)).toBe("password");
      await fill(tab, "password", stage.example.provider.user.password);
      await press(tab, "Sign in");
      await untilTitled(tab, "Signed in");
      await press(tab, "Log out");
      await untilTold(tab, "Confirmed", "Cleared");
      const announced = await tab.run(() => (window as unknown as Announcing).announced);
      for (const said of ["Wrong e-mail or password.", "Signed in", "Signed out", "Confirmed", "Cleared"])
        expect(
          announced.filter((text) => text === said),
          said,
        ).toHaveLength(1);
    },
  },
  {
    name: "Example page: on a phone, the outcome of a logout is in sight, dated, and gone with the next sign-in",
    async play(stage) {
      const { tab } = await openExample(stage, phone);
      expect(await isShown(tab, "end")).toBe(false);
      await press(tab, "Sign in");
      await untilTitled(tab, "Signed in");
      await press(tab, "Log out");
      await untilTold(tab, "Confirmed", "Cleared");
      expect(await tab.run(isInSight, "server-value")).toBe(true);
      expect(await tab.run(isInSight, "local-value")).toBe(true);
      expect(await serialize(tab, "end-time")).toMatch(/^today, \d\d:\d\d:\d\d$/);
      await press(tab, "Sign in");
      await untilTitled(tab, "Signed in");
      expect(await isShown(tab, "end")).toBe(false);
    },
  },
  {
    name: "Example page: a one-time password completes a login",
    async play(stage) {
      const { tab } = await openExample(stage);
      await fill(tab, "email", "grace@example.com");
      await fill(tab, "password", "example-password");
      await press(tab, "Sign in");
      await vi.waitFor(async () => expect(await isShown(tab, "one-time")).toBe(true), 15_000);
      expect(await serialize(tab, "problem")).toBe("");
      await fill(tab, "code", "000000");
      await press(tab, "Continue");
      await untilShown(tab, "problem", "That one-time password is not right.");
      await fill(tab, "code", "123456");
      await press(tab, "Continue");
      await untilTitled(tab, "Signed in");
      await untilShown(tab, "profile", "grace@example.com, verified");
    },
  },
  {
    name: "Example page: says how the user signed in, and revokes a sign-in with OAuth",
    async play(stage) {
      const { tab } = await openExample(stage);
      await press(tab, "Sign in");
      await untilTitled(tab, "Signed in");
      expect(await serialize(tab, "grant")).toBe("Password");
      expect(await serialize(tab, "since")).toMatch(/^today, \d\d:\d\d:\d\d$/);
      await press(tab, "Log out");
      await untilTold(tab, "Confirmed", "Cleared");
      await press(tab, "Sign in with OAuth");
      await untilTitled(tab, "Signed in");
      expect(await serialize(tab, "grant")).toBe("OAuth");
      stage.example.provider.misbehave({ path: "/v1/auth/oauth/revoke", status: 403, times: 1 });
      await press(tab, "Log out");
      await untilTold(tab, "Not confirmed", "Kept to be ended");
      expect(await serialize(tab, "server-says")).toContain("Its refresh token may still be valid.");
      await press(tab, "Try again now");
      await untilTold(tab, "Confirmed", "Cleared");
      expect(await serialize(tab, "server-says")).not.toContain("refresh token");
      expect(await serialize(tab, "log")).toContain("Revocation: confirmed");
    },
  },
  {
    name: "Example page: offline it sends nothing, and keeps the logout until it is online",
    async play(stage) {
      const { tab } = await openExample(stage);
      await press(tab, "Sign in");
      await untilTitled(tab, "Signed in");
      await untilShown(tab, "profile", "ada@example.com, verified");
      const { requests } = stage.example.provider;
      const asked = requests.length;
      await tab.run(() => document.getElementById("offline")?.click());
      await press(tab, "Log out");
      await untilTold(tab, "Not confirmed", "Kept to be ended");
      expect(await serialize(tab, "pending")).toMatch(/^Logout of ada@example.com\s*since today/);
      expect(await serialize(tab, "wire")).toMatch(/^POST \/v1\/auth\/logout\s*not sent: offline/);
      expect(requests.length).toBe(asked);
      await tab.run(() => document.getElementById("offline")?.click());
      await untilTold(tab, "Confirmed", "Cleared");
      expect(await isShown(tab, "no-pending")).toBe(true);
    },
  },
  {
    name: "Example page: a login in flight is shown, and a second press begins no other",
    async play(stage) {
      const { tab } = await openExample(stage);
      const { misbehave, requests } = stage.example.provider;
      const undo = misbehave({ path: "/v1/auth/login", delay: 1_500 });
      const asked = requests.length;
      await press(tab, "Sign in");
      await press(tab, "One moment…");
      await press(tab, "Sign in with OAuth");
      await untilTitled(tab, "Signed in");
      undo();
      expect(await serialize(tab, "grant")).toBe("Password");
      expect(requests.slice(asked).filter(({ path }) => path === "/v1/auth/login")).toHaveLength(1);
      // The token is shortened to its end.
      await untilShown(tab, "profile", "ada@example.com, verified");
      const wire = await serialize(tab, "wire");
      expect(wire).toMatch(/GET \/v1\/user\s*200\s*Bearer ….{4}$/m);
      expect(wire).not.toContain("sandbox-");
      const undoLogout = misbehave({ path: "/v1/auth/logout", delay: 1_500 });
      await press(tab, "Log out");
      await untilShown(tab, "state-says", "The server is being asked to end the session.");
      await untilTold(tab, "Confirmed", "Cleared");
      undoLogout();
      await untilShown(tab, "state-says", "This page sends no token.");
    },
  },
  {
    name: "Example page: another tab, and a reload, tell the last sign-out in the same words",
    async play(stage) {
      const { profile, tab } = await openExample(stage);
      await press(tab, "Sign in");
      await untilTitled(tab, "Signed in");
      const other = await profile.open(stage.example.url);
      await untilTitled(other, "Signed in");
      const { misbehave } = stage.example.provider;
      misbehave({ path: "/v1/auth/logout", status: 403, times: 1 });
      await press(tab, "Log out");
      await untilTold(tab, "Not confirmed", "Kept to be ended");
      // Some engines read changes by other tabs only when they are shown.
      await other.show();
      await untilTold(other, "Not confirmed", "Kept to be ended");
      misbehave({ path: "/v1/auth/logout", status: 403, times: 1 });
      await tab.visit(stage.example.url);
      await untilTold(tab, "Not confirmed", "Kept to be ended");
      expect(await serialize(tab, "log")).toContain("An earlier sign-out waits for the server");
      expect(await serialize(tab, "log")).not.toContain("stored no session");
      await untilShown(
        tab,
        "server-says",
        "The server refused the request. The session may still be alive there.",
      );
      await press(tab, "Try again now");
      await untilTold(tab, "Confirmed", "Cleared");
      await other.show();
      await untilTold(other, "Confirmed", "Cleared");
    },
  },
  {
    name: "Example page: its shapes are drawn in the colours that a reader forces on it",
    not: { Firefox: "WebDriver BiDi cannot force colours", WebKit: "WebDriver cannot force colours" },
    async play(stage) {
      const { tab } = await openExample(stage);
      await tab.forceColours();
      const drawn = await tab.run(() =>
        [".dot", ".track"].map((shape) => {
          const { backgroundColor, borderTopWidth } = getComputedStyle(
            document.querySelector(shape) as Element,
          );
          const canvas = getComputedStyle(document.body).backgroundColor;
          return backgroundColor !== canvas || borderTopWidth !== "0px";
        }),
      );
      expect(drawn).toEqual([true, true]);
      expect(await tab.run(() => matchMedia("(forced-colors: active)").matches)).toBe(true);
    },
  },
  {
    name: "Example page: fits a phone and a desktop, and its controls are 44 px high",
    async play(stage) {
      await visitEveryState(stage, {}, async (tab) => {
        expect(await tab.run(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
        expect(await tab.run(lowControls)).toEqual([]);
      });
    },
  },
  ...[false, true].map(
    (isDark): Scenario => ({
      name: `Example page: axe finds no fault in any state, ${isDark ? "dark" : "light"}`,
      not: { Firefox: "axe is run once, in Chromium", WebKit: "axe is run once, in Chromium" },
      async play(stage) {
        const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
        await visitEveryState(stage, { isDark }, async (tab) => {
          const faults = await tab.run(async (code) => {
            if (!("axe" in window)) new Function(code)();
            const { violations } = await (window as unknown as Axe).axe.run();
            return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`);
          }, axe);
          expect(faults).toEqual([]);
        });
      },
    }),
  ),
];

interface Axe {
  axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
}

interface Announcing {
  announced: string[];
}

async function openExample(
  { example, newProfile }: Stage,
  [width, height]: readonly [number, number] = desktop,
  options: ProfileOptions = {},
) {
  const profile = await newProfile(options);
  const tab = await profile.open(example.url);
  await tab.resize(width, height);
  await untilTitled(tab, "Signed out");
  return { profile, tab };
}

/** Visits every state of the page, on a phone and on a desktop, and takes its pictures. */
async function visitEveryState(
  stage: Stage,
  options: ProfileOptions,
  check: (tab: Tab) => Promise<void>,
): Promise<void> {
  for (const [device, size] of [
    ["", desktop],
    ["-phone", phone],
  ] as const) {
    const { profile, tab } = await openExample(stage, size, options);
    await check(tab);
    await fill(tab, "password", "wrong");
    await press(tab, "Sign in");
    await untilShown(tab, "problem", "Wrong e-mail or password.");
    await check(tab);
    await fill(tab, "email", "grace@example.com");
    await fill(tab, "password", "example-password");
    await press(tab, "Sign in");
    await vi.waitFor(async () => expect(await isShown(tab, "one-time")).toBe(true), 15_000);
    await check(tab);
    await press(tab, "Back");
    await press(tab, "Sign in with OAuth");
    await untilShown(tab, "profile", "ada@example.com, verified");
    await check(tab);
    await press(tab, "Log out");
    await untilTold(tab, "Confirmed", "Cleared");
    await check(tab);
    await fill(tab, "email", stage.example.provider.user.email);
    await press(tab, "Sign in");
    await untilShown(tab, "profile", "ada@example.com, verified");
    await tab.run(() => document.getElementById("offline")?.click());
    await press(tab, "Log out");
    await untilTold(tab, "Not confirmed", "Kept to be ended");
    await check(tab);
    if (pictures) {
      const prefix = stage.engine === "Chromium" ? "" : `${stage.engine}-`;
      const name = `${prefix}example-${options.isDark ? "dark" : "light"}${device}.png`;
      await writeFile(join(pictures, name), await tab.picture());
    }
    await profile.close();
  }
}

const serialize = (tab: Tab, id: string) =>
  tab.run((of) => document.getElementById(of)?.innerText.trim() ?? "", id);

const isShown = (tab: Tab, id: string) =>
  tab.run((of) => document.getElementById(of)?.checkVisibility() ?? false, id);

const untilShown = (tab: Tab, id: string, text: string) =>
  vi.waitFor(async () => expect(await serialize(tab, id)).toBe(text), { timeout: 15_000, interval: 20 });

const untilTitled = (tab: Tab, title: string) => untilShown(tab, "state", title);

async function untilTold(tab: Tab, server: string, device: string): Promise<void> {
  // The messages about an earlier session still exist, but are hidden.
  await vi.waitFor(async () => expect(await isShown(tab, "end")).toBe(true), {
    timeout: 15_000,
    interval: 20,
  });
  await untilShown(tab, "server-value", server);
  await untilShown(tab, "local-value", device);
}

const fill = (tab: Tab, id: string, value: string) =>
  tab
    .run((given) => Object.assign(document.getElementById(given.id) ?? {}, given), { id, value })
    .then(() => {});

/** Presses the button of that name, which must be visible. */
const press = (tab: Tab, name: string) =>
  until(
    tab,
    (wanted) => {
      const found = [...document.querySelectorAll("button")].find(
        (button) => button.textContent?.trim() === wanted && button.checkVisibility() && !button.disabled,
      );
      found?.click();
      return !!found;
    },
    name,
  );

/** Presses Tab until a control has the focus, by its text or id. Stays in the page, because not all engines return. */
async function tabTo(tab: Tab, name: string, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
  for (let times = 0; times < 24; times++) {
    await tab.press(key);
    const focused = await tab.run(() => [
      document.activeElement?.textContent?.trim(),
      document.activeElement?.id,
    ]);
    if (focused.includes(name)) return;
  }
  throw new Error(`"${name}" cannot be reached by Tab.`);
}

/** Records the changes in visible live regions, which a screen reader would announce. */
function recordAnnouncements(): void {
  const announced: string[] = [];
  Object.assign(window, { announced });
  for (const region of document.querySelectorAll('[role="status"], [role="alert"]')) {
    const before = new Map<Node, string>();
    const note = () => {
      const texts = document.createTreeWalker(region, NodeFilter.SHOW_TEXT);
      const seen = new Map<Node, string>();
      for (let node = texts.nextNode(); node; node = texts.nextNode()) {
        const text = node.textContent?.trim() ?? "";
        if (!text || !node.parentElement?.checkVisibility()) continue;
        seen.set(node, text);
        if (before.get(node) !== text) announced.push(text);
      }
      before.clear();
      for (const [node, text] of seen) before.set(node, text);
    };
    note();
    announced.length = 0;
    new MutationObserver(note).observe(region, {
      attributes: true,
      characterData: true,
      childList: true,
      subtree: true,
    });
  }
}

function isInSight(id: string): boolean {
  const { top = -1, bottom = 0 } = document.getElementById(id)?.getBoundingClientRect() ?? {};
  return top >= 0 && bottom <= innerHeight;
}

/** Returns the controls that are less than 44 px high. */
function lowControls(): string[] {
  return [...document.querySelectorAll<HTMLElement>("button, input, a.button")]
    .map((control) => (control.id === "offline" ? (control.parentElement ?? control) : control))
    .filter((control) => control.checkVisibility() && control.getBoundingClientRect().height < 44)
    .map((control) => control.outerHTML);
}
