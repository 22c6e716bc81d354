/** The types of the public API: valid code compiles, and invalid code does not. `npm test -- types` compiles this file. */
import { expectTypeOf } from "vitest";
import {
  type CurrentSession,
  createBindings,
  createSession,
  memoryStore,
  probe,
  type Session,
  type SessionEnd,
  SessionError,
  type SessionErrorCode,
  type SessionEvent,
  type SessionStart,
  type TokenStore,
  webStorageStore,
} from "../src/index.ts";

const options = { baseUrl: "https://dev.api.baanx.com", clientKey: "public-client-key" };
const session = createSession(options);

// Types a call by the specification, without key and token.
const user = () => session.client.GET("/v1/user");
type User = NonNullable<Awaited<ReturnType<typeof user>>["data"]>;
expectTypeOf<User["id"]>().toEqualTypeOf<string>();
expectTypeOf<User["verificationState"]>().toEqualTypeOf<string | undefined>();
// @ts-expect-error - no such path
session.client.GET("/v1/users");
// @ts-expect-error - no such method
session.client.DELETE("/v1/user");

// Excludes paths that begin or end a session from its client.
// @ts-expect-error - the fence
session.client.POST("/v1/auth/logout");
// @ts-expect-error - the fence
session.client.DELETE("/v1/auth/oauth/revoke");
// @ts-expect-error - the fence
session.client.POST("/v1/auth/login", { body: { email: "a@example.com", password: "p" } });

// Includes these paths in the bare bindings.
const login = () =>
  createBindings(options).POST("/v1/auth/login", { body: { email: "a@example.com", password: "p" } });
type Login = NonNullable<Awaited<ReturnType<typeof login>>["data"]>;
expectTypeOf<Login["accessToken"]>().toEqualTypeOf<string | null | undefined>();
// @ts-expect-error - the body is required
createBindings(options).POST("/v1/auth/login", {});

// Uses a team's own paths instead of ours.
interface Own {
  "/v1/card": { get: { responses: { 200: { content: { "application/json": { last4: string } } } } } };
  "/v1/auth/logout": { post: { responses: { 200: { content: never } } } };
}
const own = createSession<Own>(options);
const card = () => own.client.GET("/v1/card");
expectTypeOf<NonNullable<Awaited<ReturnType<typeof card>>["data"]>>().toEqualTypeOf<{ last4: string }>();
// @ts-expect-error - the fence, in any specification
own.client.POST("/v1/auth/logout");
expectTypeOf(own).toEqualTypeOf<Session<Own>>();

// Rejects an unknown region, a missing key, a map as the store and a storage instead of a function.
createSession({ ...options, region: "us", timeout: 1_000, retries: 0, onUnconfirmed: "discard", fetch });
createSession({ ...options, store: webStorageStore(() => localStorage, { documentedKeys: true }) });
createSession({ ...options, store: undefined, allowInsecureRequests: true, debug: (line: string) => line });
// @ts-expect-error - no store
createSession({ ...options, store: new Map() });
// @ts-expect-error - unknown region
createSession({ ...options, region: "eu" });
// @ts-expect-error - the key is required
createSession({ baseUrl: "https://dev.api.baanx.com" });
// @ts-expect-error - must be a function, because reading localStorage can throw
webStorageStore(localStorage);

// Starts a session with tokens and a grant.
expectTypeOf(session.start).returns.resolves.toEqualTypeOf<SessionStart>();
expectTypeOf<SessionStart["local"]>().toEqualTypeOf<"stored" | "memory" | "failed">();
session.start({ accessToken: "t", grant: "login" });
session.start({ accessToken: "t", refreshToken: "r", userId: "u", grant: "oauth", region: "us" });
// @ts-expect-error - no grant
session.start({ accessToken: "t" });

// Omits tokens from the current session, which is read-only.
expectTypeOf(session.current).toEqualTypeOf<CurrentSession | undefined>();
expectTypeOf<keyof CurrentSession>().toEqualTypeOf<"id" | "userId" | "grant" | "region" | "startedAt">();
// @ts-expect-error - read-only
session.current = undefined;

// Resolves an ending to independent facts.
expectTypeOf(session.logout).returns.resolves.toEqualTypeOf<SessionEnd>();
expectTypeOf(session.revoke).returns.resolves.toEqualTypeOf<SessionEnd>();
expectTypeOf(session.end).returns.resolves.toEqualTypeOf<SessionEnd>();
expectTypeOf(session.flush).returns.resolves.toEqualTypeOf<SessionEnd[]>();
expectTypeOf<SessionEnd["server"]>().toEqualTypeOf<
  "confirmed" | "already-invalid" | "unconfirmed" | "superseded" | "expired" | "no-session"
>();
expectTypeOf<SessionEnd["local"]>().toEqualTypeOf<"cleared" | "pending" | "failed">();
expectTypeOf<SessionEnd["refreshToken"]>().toEqualTypeOf<"may-be-valid" | undefined>();
expectTypeOf(session.state).toEqualTypeOf<"restoring" | "active" | "signed-out">();
expectTypeOf(session.pending).toEqualTypeOf<number>();

// Calls probe without a session.
expectTypeOf(probe).returns.resolves.toEqualTypeOf<"active" | "invalid">();
probe({ ...options, retries: 1 }, { accessToken: "t", region: "us" }, { signal: AbortSignal.abort() });
// @ts-expect-error - a function of the package
session.probe;

// Gives each event a type to branch on.
expectTypeOf<SessionEvent["type"]>().toEqualTypeOf<
  "started" | "renewed" | "signed-out" | "settled" | "renew-failed" | "store-failed"
>();
session.subscribe(({ type, reason, end, error }) => [type, reason, end?.server, error?.code]);

// Accepts session.fetch instead of fetch.
expectTypeOf(session.fetch).toExtend<typeof fetch>();

// Gives each error a code to branch on.
const error = new SessionError("timeout");
expectTypeOf(error).toExtend<Error>();
expectTypeOf(error.code).toEqualTypeOf<SessionErrorCode>();
expectTypeOf(error.status).toEqualTypeOf<number | undefined>();
expectTypeOf(error.retryAfter).toEqualTypeOf<number | undefined>();

// Accepts a store that answers at once or later.
expectTypeOf(memoryStore()).toEqualTypeOf<TokenStore>();
const later: TokenStore = {
  read: async () => ({ "session.x": "{}" }),
  write: async () => {},
  remove: async () => {},
};
createSession({ ...options, store: later });
