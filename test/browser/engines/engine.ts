/** What a scenario asks of a browser: a few verbs, for which each engine has a driver. */

export type EngineName = "Chromium" | "Firefox" | "WebKit";

/** A browser, which all scenarios share. */
export interface Engine {
  name: EngineName;
  version: string;
  newProfile(options?: ProfileOptions): Promise<Profile>;
  close(): Promise<void>;
}

export interface ProfileOptions {
  /** Where the profile outlives the browser: not a private one, and a browser of its own. */
  folder?: string;
  /** A private window, in a browser of its own where the engine's other profiles are not private. */
  isPrivate?: boolean;
  /** As a person has it who prefers dark colours. */
  isDark?: boolean;
}

/** Tabs that share their storage, of which there is nothing at first. */
export interface Profile {
  /** A tab in front of the others, with a page that is loaded. */
  open(url: string): Promise<Tab>;
  /** Takes the network from all tabs that are open, or gives it back. */
  setOffline(isOffline: boolean): Promise<void>;
  close(): Promise<void>;
}

type Key = "Tab" | "Shift+Tab" | "Enter" | " ";

export interface Tab {
  /** Goes to a page, and waits until it is loaded. */
  visit(url: string): Promise<void>;
  /** Runs a function in the page. What it is given, and what it resolves to, is copied as JSON. */
  run<Result>(script: () => Result): Promise<Awaited<Result>>;
  run<Result, Given>(script: (given: Given) => Result, given: Given): Promise<Awaited<Result>>;
  /** The page as a person sees it once another tab, or nothing, is in front of it. */
  hide(): Promise<void>;
  /** Brings it to the front again. */
  show(): Promise<void>;
  /** Stops all of the page, as a browser that saves memory does; `show` lets it go on. */
  freeze(): Promise<void>;
  /** Shows the page in the few colours of a reader who has chosen their own. */
  forceColours(): Promise<void>;
  /** Presses a key, by its name in the DOM. */
  press(key: Key): Promise<void>;
  /** Gives the window a size, as near to it as the engine can. */
  resize(width: number, height: number): Promise<void>;
  /** What is in the window, as a PNG. */
  picture(): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** For the verbs that an engine does not have. A scenario that needs one names that engine in `not`. */
export const cannot = (engine: EngineName, verb: string) => async (): Promise<never> => {
  throw new Error(`${engine} cannot ${verb}.`);
};
