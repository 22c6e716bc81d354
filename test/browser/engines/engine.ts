/** The interface to a browser for scenarios: a few verbs, with a driver for each engine. */

export type EngineName = "Chromium" | "Firefox" | "WebKit";

/** A browser, which all scenarios share. */
export interface Engine {
  name: EngineName;
  version: string;
  newProfile(options?: ProfileOptions): Promise<Profile>;
  close(): Promise<void>;
}

export interface ProfileOptions {
  /** A folder that outlives the browser. The profile is not private and has its own browser. */
  folder?: string;
  /** A private window, in its own browser if the engine's other profiles are not private. */
  isPrivate?: boolean;
  /** Prefers dark colours. */
  isDark?: boolean;
}

/** Tabs that share their storage, which is empty at first. */
export interface Profile {
  /** Opens a tab in front of the others, and loads a page. */
  open(url: string): Promise<Tab>;
  /** Disconnects all open tabs from the network, or reconnects them. */
  setOffline(isOffline: boolean): Promise<void>;
  close(): Promise<void>;
}

type Key = "Tab" | "Shift+Tab" | "Enter" | " ";

export interface Tab {
  /** Navigates to a page, and waits until it is loaded. */
  visit(url: string): Promise<void>;
  /** Runs a function in the page. Argument and result are copied as JSON. */
  run<Result>(script: () => Result): Promise<Awaited<Result>>;
  run<Result, Given>(script: (given: Given) => Result, given: Given): Promise<Awaited<Result>>;
  /** Hides the page behind another tab. */
  hide(): Promise<void>;
  /** Brings the page to the front again. */
  show(): Promise<void>;
  /** Freezes the page, like a browser that saves memory. `show` resumes it. */
  freeze(): Promise<void>;
  /** Shows the page in the few colours of a reader who has chosen their own. */
  forceColours(): Promise<void>;
  /** Presses a key, by its name in the DOM. */
  press(key: Key): Promise<void>;
  /** Resizes the window, as closely as the engine can. */
  resize(width: number, height: number): Promise<void>;
  /** Returns the content of the window as a PNG. */
  picture(): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** A verb that an engine lacks. A scenario that needs it names the engine in `not`. */
export const cannot = (engine: EngineName, verb: string) => async (): Promise<never> => {
  throw new Error(`${engine} cannot ${verb}.`);
};
