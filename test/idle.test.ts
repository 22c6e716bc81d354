/** Signing out after inactivity, by the recipe: tabs with shared storage, in fake time. */
import { beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { endWhenIdle } from "../examples/page/idle.ts";
import { createSandboxApp, type SandboxApp } from "../src/sandbox/sandbox.ts";
import { endings, LOGOUT, useFakeTime } from "./support.ts";
import { browser } from "./tabs.ts";

const MINUTE = 60_000;
const after = 15 * MINUTE;

let provider: SandboxApp;
let world: ReturnType<typeof browser>;

beforeEach(() => {
  useFakeTime();
  provider = createSandboxApp();
  world = browser(provider);
});

/** Opens a tab with the recipe, before its session has read the store. */
function openIdle() {
  const tab = world.open();
  const page = new EventTarget();
  const stop = endWhenIdle(tab.session, { after, storage: world.storage, page });
  onTestFinished(stop);
  return { ...tab, stop, say: (type: string) => page.dispatchEvent(new Event(type)) };
}

it("ends the session after the idle time, and not before", async () => {
  const { session, startLogin } = openIdle();
  const { accessToken } = await startLogin();
  await vi.advanceTimersByTimeAsync(after - 1);
  expect(session.state).toBe("active");
  await vi.advanceTimersByTimeAsync(1);
  expect(session.state).toBe("signed-out");
  await vi.waitFor(() => expect(provider.isAlive(accessToken)).toBe(false));
});

it.each(["pointerdown", "keydown", "wheel", "touchmove"])("restarts the idle time at a %s", async (type) => {
  const { session, startLogin, say } = openIdle();
  await startLogin();
  await vi.advanceTimersByTimeAsync(10 * MINUTE);
  say(type);
  await vi.advanceTimersByTimeAsync(after - 1);
  expect(session.state).toBe("active");
  await vi.advanceTimersByTimeAsync(1);
  expect(session.state).toBe("signed-out");
});

it("counts activity in another tab, and signs out both with one request", async () => {
  const [one, other] = [openIdle(), openIdle()];
  await other.session.ready();
  await one.startLogin();
  world.hear([other]);
  expect(other.session.state).toBe("active");
  await vi.advanceTimersByTimeAsync(10 * MINUTE);
  other.say("keydown");
  await vi.advanceTimersByTimeAsync(after - 1);
  expect([one, other].map(({ session }) => session.state)).toEqual(["active", "active"]);
  await vi.advanceTimersByTimeAsync(1);
  expect([one, other].map(({ session }) => session.state)).toEqual(["signed-out", "signed-out"]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(endings(provider)).toEqual([LOGOUT]);
});

it("ends despite the touch that wakes a computer", async () => {
  const { session, startLogin, say } = openIdle();
  await startLogin();
  // Timers sleep with the computer.
  vi.setSystemTime(Date.now() + after);
  say("pointerdown");
  expect(session.state).toBe("signed-out");
});

it.each(["visibilitychange", "pageshow"])(
  "ends at a %s a session whose time passed in the meantime",
  async (type) => {
    const { session, startLogin, say } = openIdle();
    await startLogin();
    vi.setSystemTime(Date.now() + after);
    say(type);
    expect(session.state).toBe("signed-out");
  },
);

it("ends the stored session in a page that opens too late, but not a new sign-in", async () => {
  const first = openIdle();
  const { accessToken } = await first.startLogin();
  first.stop();
  first.close();
  await vi.advanceTimersByTimeAsync(after);
  const { session, startLogin } = openIdle();
  await session.ready();
  expect(session.state).toBe("signed-out");
  await vi.waitFor(() => expect(provider.isAlive(accessToken)).toBe(false));
  // Like a login on another page: this page has not been touched.
  const { accessToken: next } = await startLogin();
  expect(session.state).toBe("active");
  await vi.advanceTimersByTimeAsync(after - 1);
  expect(provider.isAlive(next)).toBe(true);
});

it("keeps the stored session in a page that opens in time", async () => {
  const first = openIdle();
  await first.startLogin();
  first.stop();
  first.close();
  await vi.advanceTimersByTimeAsync(after - 1);
  const { session } = openIdle();
  await session.ready();
  expect(session.state).toBe("active");
});

it("does nothing after it is stopped", async () => {
  const { session, startLogin, stop } = openIdle();
  await startLogin();
  stop();
  await vi.advanceTimersByTimeAsync(2 * after);
  expect(session.state).toBe("active");
});
