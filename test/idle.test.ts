/** Signing out after idling, by the recipe: in tabs over one storage, in fake time. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { endWhenIdle } from "../examples/page/idle.ts";
import { createSandboxApp, type SandboxApp } from "../src/sandbox/sandbox.ts";
import { endings, LOGOUT, useFakeTime } from "./support.ts";
import { browser } from "./tabs.ts";

const MINUTE = 60_000;
const after = 15 * MINUTE;

let provider: SandboxApp;
let world: ReturnType<typeof browser>;
const stops: (() => void)[] = [];

beforeEach(() => {
  useFakeTime();
  provider = createSandboxApp();
  world = browser(provider);
});
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  vi.useRealTimers();
});

/** A tab with the recipe, before its session has read anything. */
function openIdle() {
  const tab = world.open();
  const page = new EventTarget();
  const stop = endWhenIdle(tab.session, { after, storage: world.storage, page });
  stops.push(stop);
  return { ...tab, stop, say: (type: string) => page.dispatchEvent(new Event(type)) };
}

it("ends the session when nothing was done for so long, and not before", async () => {
  const { session, startLogin } = openIdle();
  const { accessToken } = await startLogin();
  await vi.advanceTimersByTimeAsync(after - 1);
  expect(session.state).toBe("active");
  await vi.advanceTimersByTimeAsync(1);
  expect(session.state).toBe("signed-out");
  await vi.waitFor(() => expect(provider.isAlive(accessToken)).toBe(false));
});

it.each(["pointerdown", "keydown", "wheel", "touchmove"])("begins again at a %s", async (type) => {
  const { session, startLogin, say } = openIdle();
  await startLogin();
  await vi.advanceTimersByTimeAsync(10 * MINUTE);
  say(type);
  await vi.advanceTimersByTimeAsync(after - 1);
  expect(session.state).toBe("active");
  await vi.advanceTimersByTimeAsync(1);
  expect(session.state).toBe("signed-out");
});

it("counts what is done in another tab, and signs out both with one request", async () => {
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
  // Its timers have slept, too.
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

it("ends what a page finds that is opened too late, and leaves a new sign-in alone", async () => {
  const first = openIdle();
  const { accessToken } = await first.startLogin();
  first.stop();
  first.close();
  await vi.advanceTimersByTimeAsync(after);
  const { session, startLogin } = openIdle();
  await session.ready();
  expect(session.state).toBe("signed-out");
  await vi.waitFor(() => expect(provider.isAlive(accessToken)).toBe(false));
  // As after a login on another page: nothing was touched here.
  const { accessToken: next } = await startLogin();
  expect(session.state).toBe("active");
  await vi.advanceTimersByTimeAsync(after - 1);
  expect(provider.isAlive(next)).toBe(true);
});

it("keeps what a page finds that is opened in time", async () => {
  const first = openIdle();
  await first.startLogin();
  first.stop();
  first.close();
  await vi.advanceTimersByTimeAsync(after - 1);
  const { session } = openIdle();
  await session.ready();
  expect(session.state).toBe("active");
});

it("does nothing any more once it is stopped", async () => {
  const { session, startLogin, stop } = openIdle();
  await startLogin();
  stop();
  await vi.advanceTimersByTimeAsync(2 * after);
  expect(session.state).toBe("active");
});
