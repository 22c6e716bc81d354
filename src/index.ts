/** The public exports of the package, and nothing else. */
export { createBindings } from "./bindings.ts";
export type {
  Endpoint,
  EntryEnding,
  Grant,
  Region,
  SessionEntry,
  SessionTokens,
  StoredEntries,
  TokenStore,
} from "./entry.ts";
export { SessionError, type SessionErrorCode, type SessionErrorDetails } from "./errors.ts";
export type { SessionEvent, SessionListener } from "./events.ts";
export type { components, operations, paths } from "./generated/schema.ts";
export { completedLogin } from "./login.ts";
export type { BindingsOptions, NewSession, Renew, SessionOptions } from "./options.ts";
export type { ProbeTarget } from "./probe.ts";
export { createSession } from "./session.ts";
export { memoryStore } from "./stores/memory.ts";
export { type WebStorage, webStorageStore } from "./stores/web-storage.ts";
export type { EndOptions, Session, SessionEnd, SessionState } from "./types.ts";
