/** The exports of `baanx-session`. The sandbox, React and the adapters have entries of their own, see `package.json`. */
export { createBindings } from "./bindings.ts";
export {
  type EndSessionOptions,
  type EndTarget,
  endSession,
  type ProbeTarget,
  probe,
  type ServerEnd,
} from "./end-session.ts";
export { SessionError, type SessionErrorCode, type SessionErrorDetails } from "./errors.ts";
export type { SessionEvent, SessionListener } from "./events.ts";
export type { components, operations, paths } from "./generated/schema.ts";
export { completedLogin } from "./login.ts";
export type { BindingsOptions, NewSession, Renew, SessionOptions, SessionTokens } from "./options.ts";
export type { Endpoint, Grant, Region } from "./record.ts";
export { createSession } from "./session.ts";
export type { TokenStore } from "./store.ts";
export { memoryStore } from "./stores/memory.ts";
export { type WebStorage, webStorageStore } from "./stores/web-storage.ts";
export type { CurrentSession, EndOptions, Session, SessionEnd, SessionStart, SessionState } from "./types.ts";
