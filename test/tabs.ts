/**
 * Tabs of one browser over one web storage, as in the HTML standard: a `storage` event notifies the other tabs of a write,
 * later, but not the tab itself.
 */
import { type SessionEvent, type SessionOptions, type TokenStore, webStorageStore } from "../src/index.ts";
import { recordsOf, setup } from "./support.ts";

type Provider = ReturnType<typeof setup>["provider"];

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

/** Creates a browser with `entries` in its storage. */
export function browser(provider: Provider, entries: Record<string, string> = {}) {
  const items = new Map(Object.entries(entries));
  const tabs = new Set<{ unheard: (string | null)[]; target: EventTarget }>();

  function storageOf(own: unknown, isOpen: () => boolean): Storage {
    const write = (key: string | null, change: () => void) => {
      if (!isOpen()) return;
      change();
      for (const tab of tabs) if (tab !== own) tab.unheard.push(key);
    };
    return {
      get length() {
        return items.size;
      },
      key: (index) => [...items.keys()][index] ?? null,
      getItem: (key) => items.get(key) ?? null,
      setItem: (key, value) => write(key, () => items.set(key, value)),
      removeItem: (key) => write(key, () => items.delete(key)),
      clear: () => write(null, () => items.clear()),
    };
  }

  /** Opens a tab, optionally with a wrapped store and another way to the provider. */
  function open({ wrap = (store) => store, send = provider.fetch, ...options }: Opening = {}): Tab {
    const own = { unheard: [] as (string | null)[], target: new EventTarget() };
    tabs.add(own);
    let isOpen = true;
    const storage = storageOf(own, () => isOpen);
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

  const storage = storageOf(undefined, () => true);
  return { open, hear, storage, items, records };
}
