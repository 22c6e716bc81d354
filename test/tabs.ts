/**
 * Tabs of one browser over one web storage, as in the HTML standard: a `storage` event notifies the other tabs of a write,
 * later, but not the tab itself.
 */
import {
  type SessionEvent,
  type SessionOptions,
  type SessionTokens,
  type TokenStore,
  webStorageStore,
} from "../src/index.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import { recordsOf, setup, storageOf } from "./support.ts";

export interface Tab extends ReturnType<typeof setup> {
  events: SessionEvent[];
  /** Delivers this tab's pending notifications. */
  hear(): void;
  /** Shows the tab again, as from the back-forward cache. */
  show(): void;
  /** Closes the tab, which then neither receives nor writes anything. */
  close(): void;
}

interface Opening extends Partial<SessionOptions> {
  wrap?: (store: TokenStore) => TokenStore;
  send?: typeof globalThis.fetch;
}

/** Creates a browser with an empty storage. */
export function browser(provider = createSandboxApp()) {
  const items = new Map<string, string>();
  const tabs = new Set<{ unheard: (string | null)[]; target: EventTarget }>();

  /** The storage as a tab sees it, whose changes notify the other tabs. */
  const storageFor = (own: unknown, isOpen: () => boolean) =>
    storageOf(items, (key, change) => {
      if (!isOpen()) return;
      change();
      for (const tab of tabs) if (tab !== own) tab.unheard.push(key);
    });

  /** Opens a tab, optionally with a wrapped store and another way to the provider. */
  function open({ wrap = (store) => store, send = provider.fetch, ...options }: Opening = {}): Tab {
    const own = { unheard: [] as (string | null)[], target: new EventTarget() };
    tabs.add(own);
    let isOpen = true;
    const storage = storageFor(own, () => isOpen);
    const store = webStorageStore(() => storage);
    const { subscribe } = store;
    // Each page has its own event target, which this process lacks.
    store.subscribe = (onChange) => {
      const { target } = own;
      const before = { add: globalThis.addEventListener, remove: globalThis.removeEventListener };
      globalThis.addEventListener = target.addEventListener.bind(target);
      const unsubscribe = subscribe?.(onChange) ?? (() => {});
      Object.assign(globalThis, { addEventListener: before.add });
      return () => {
        globalThis.removeEventListener = target.removeEventListener.bind(target);
        unsubscribe();
        Object.assign(globalThis, { removeEventListener: before.remove });
      };
    };
    const world = setup(
      {
        store: wrap(store),
        ...options,
        fetch: (...call) => (isOpen ? send(...call) : new Promise(() => {})),
      },
      provider,
    );
    const tell = (type: string, fields: object) =>
      own.target.dispatchEvent(Object.assign(new Event(type), fields));
    return {
      ...world,
      hear() {
        for (const key of own.unheard.splice(0)) if (isOpen) tell("storage", { key });
      },
      show: () => void tell("pageshow", {}),
      close() {
        isOpen = false;
        tabs.delete(own);
      },
    };
  }

  /** Returns the records in the storage. */
  const records = () =>
    recordsOf(Object.fromEntries([...items].filter(([key]) => key.startsWith("baanx-session:"))));

  /** Delivers pending notifications to every tab, and the notifications of their writes, until all are delivered. */
  const hear = (all: readonly Tab[]) => {
    for (let round = 0; round < 3; round++) for (const tab of all) tab.hear();
  };

  const storage = storageFor(undefined, () => true);
  return { provider, open, hear, storage, items, records };
}

/** Opens two tabs with one session. */
export async function twoTabs(
  grant: "login" | "oauth" = "login",
  options: Opening = {},
  provider = createSandboxApp(),
) {
  const { open, hear, ...world } = browser(provider);
  const [one, other] = [open(options), open(options)];
  await Promise.all([one.session.ready(), other.session.ready()]);
  const tokens: SessionTokens = await (grant === "login" ? one.startLogin() : one.startOAuth());
  hear([one, other]);
  return { ...world, one, other, tokens, open, hear: () => hear([one, other]) };
}
