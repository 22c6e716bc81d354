/** The store of the React Native example, over a storage that cannot list its keys, with crashes between writes. */
import { describe, expect, it } from "vitest";
import { type SecureStorage, secureStore } from "../examples/react-native/secure-store.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import { LOGOUT, setup } from "./support.ts";

/** A storage that stops before write number `last`, as if the app had been killed. */
function storageOf(items = new Map<string, string>(), last = Number.POSITIVE_INFINITY) {
  let writes = 0;
  const write = async (change: () => void) => {
    writes += 1;
    if (writes >= last) return new Promise<void>(() => {});
    change();
  };
  const storage: SecureStorage = {
    getItemAsync: async (key) => items.get(key) ?? null,
    setItemAsync: (key, value) => write(() => void items.set(key, value)),
    deleteItemAsync: (key) => write(() => void items.delete(key)),
  };
  return { storage, items, writes: () => writes };
}

const open = (storage: SecureStorage, provider = createSandboxApp()) =>
  setup({ store: secureStore(storage), timeout: 200, retries: 0 }, provider);

describe("the store of the React Native example", () => {
  it("restores a session, and uses keys that a secure store accepts", async () => {
    const { storage, items } = storageOf();
    const { provider, startLogin } = open(storage);
    await startLogin();
    const { session } = open(storage, provider);
    await session.ready();
    expect(session.state).toBe("active");
    provider.misbehave({ path: LOGOUT, status: 503, times: 1 });
    await session.logout();
    // The ending, and the list of keys.
    expect(items.size).toBe(2);
    expect([...items.keys()].filter((key) => !/^[\w.-]+$/.test(key))).toEqual([]);
  });

  it("keeps several unconfirmed endings, and removes them after they are confirmed", async () => {
    const { storage, items } = storageOf();
    const { provider, session, startLogin } = open(storage);
    const undo = provider.misbehave({ path: LOGOUT, status: 503 });
    for (let time = 0; time < 3; time++) {
      await startLogin();
      expect(await session.logout()).toMatchObject({ local: "pending" });
    }
    undo();
    const next = open(storage, provider).session;
    await next.ready();
    expect(next.pending).toBe(0);
    expect([...items.values()].join("")).not.toContain("tokens");
  });

  it("reports a string that is not a record, and leaves it in the storage", async () => {
    const { storage, items } = storageOf(
      new Map([
        ["baanx-session.keys", "session.x"],
        ["baanx-session.session.x", "not JSON"],
      ]),
    );
    const { session, events } = open(storage);
    await session.ready();
    expect(session.state).toBe("signed-out");
    expect(events.map(({ type }) => type)).toEqual(["store-failed", "signed-out"]);
    expect(items.get("baanx-session.session.x")).toBe("not JSON");
    // It may contain a token, so the ending cannot report no-session.
    expect(await session.end()).toMatchObject({ server: "unconfirmed", local: "failed" });
  });

  // The writes: index and item of the ending, item and index of the session, index and item of the settled ending.
  it.each([1, 2, 3, 4, 5, 6])(
    "loses no token if the app is killed before write %i of an ending",
    async (last) => {
      const items = new Map<string, string>();
      const provider = createSandboxApp();
      const { accessToken } = await open(storageOf(items).storage, provider).startLogin();
      const killed = open(storageOf(items, last).storage, provider).session;
      // The kill also prevents its request.
      const undo = provider.misbehave({ path: LOGOUT, drop: true });
      void killed.logout();
      await killed.flush();
      undo();
      const next = open(storageOf(items).storage, provider).session;
      await next.ready();
      // Either still signed in, or ended.
      expect(provider.isAlive(accessToken)).toBe(next.state === "active" || next.pending > 0);
    },
  );
});
