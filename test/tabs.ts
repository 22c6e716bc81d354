/**
 * Tabs of one browser over one web storage, as the HTML standard has it: what one tab writes, the others
 * are told of by a `storage` event, later, and the tab itself is not.
 */
import { type SessionEvent, type SessionOptions, type TokenStore, webStorageStore } from "../src/index.ts";
import { recordsOf, setup } from "./support.ts";

type Provider = ReturnType<typeof setup>["provider"];

export interface Tab extends ReturnType<typeof setup> {
  events: SessionEvent[];
  /** Tells this tab of what it has not heard yet. */
  hear(): void;
  /** Is shown again, as from the back-forward cache. */
  show(): void;
  /** Is gone: it hears and writes nothing any more. */
  close(): void;
}

interface Opening extends Partial<SessionOptions> {
  wrap?: (store: TokenStore) => TokenStore;
  send?: typeof globalThis.fetch;
}

/** A browser, with `entries` in its storage. */
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

  /** Opens a tab. Its store and its way to the provider may be put behind something else. */
  function open({ wrap = (store) => store, send = provider.fetch, ...options }: Opening = {}): Tab {
    const own = { unheard: [] as (string | null)[], target: new EventTarget() };
    tabs.add(own);
    let isOpen = true;
    const storage = storageOf(own, () => isOpen);
    const store = webStorageStore(() => storage);
    const { subscribe } = store;
    // A page has an event target of its own, where this process has none at all.
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

  /** What the storage holds, as records. */
  const records = () =>
    recordsOf(Object.fromEntries([...items].filter(([key]) => key.startsWith("baanx-session:"))));

  /** Tells every tab of what it has not heard yet, and what they write then, until there is silence. */
  const hear = (all: readonly Tab[]) => {
    for (let round = 0; round < 3; round++) for (const tab of all) tab.hear();
  };

  const storage = storageOf(undefined, () => true);
  return { open, hear, storage, items, records };
}
