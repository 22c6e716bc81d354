/** The types of the public API: what compiles, and what must not. */
import { expectTypeOf, test } from "vitest";
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

test("a call is typed by the specification, with no key and no token to pass", () => {
  const user = () => session.client.GET("/v1/user");
  type User = NonNullable<Awaited<ReturnType<typeof user>>["data"]>;
  expectTypeOf<User["id"]>().toEqualTypeOf<string>();
  expectTypeOf<User["verificationState"]>().toEqualTypeOf<string | undefined>();
  // @ts-expect-error - no such path
  session.client.GET("/v1/users");
  // @ts-expect-error - no such method
  session.client.DELETE("/v1/user");
});

test("the paths that begin or end a session are not in its client", () => {
  // @ts-expect-error - the fence
  session.client.POST("/v1/auth/logout");
  // @ts-expect-error - the fence
  session.client.DELETE("/v1/auth/oauth/revoke");
  // @ts-expect-error - the fence
  session.client.POST("/v1/auth/login", { body: { email: "a@example.com", password: "p" } });
});

test("the bare bindings have them", () => {
  const login = () =>
    createBindings(options).POST("/v1/auth/login", { body: { email: "a@example.com", password: "p" } });
  type Login = NonNullable<Awaited<ReturnType<typeof login>>["data"]>;
  expectTypeOf<Login["accessToken"]>().toEqualTypeOf<string | null | undefined>();
  // @ts-expect-error - the body is required
  createBindings(options).POST("/v1/auth/login", {});
});

test("a team's own paths take the place of ours", () => {
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
});

test("an unknown region, a missing key, a map as the store and a storage instead of a function do not compile", () => {
  createSession({ ...options, region: "us", timeout: 1_000, retries: 0, onUnconfirmed: "discard", fetch });
  createSession({ ...options, store: webStorageStore(() => localStorage, { documentedKeys: true }) });
  createSession({ ...options, store: undefined, allowInsecureRequests: true, debug: (line: string) => line });
  // @ts-expect-error - no store
  createSession({ ...options, store: new Map() });
  // @ts-expect-error - unknown region
  createSession({ ...options, region: "eu" });
  // @ts-expect-error - the key is required
  createSession({ baseUrl: "https://dev.api.baanx.com" });
  // @ts-expect-error - a function, since reading localStorage can throw
  webStorageStore(localStorage);
});

test("a session is started with tokens and a grant", () => {
  expectTypeOf(session.start).returns.resolves.toEqualTypeOf<SessionStart>();
  expectTypeOf<SessionStart["local"]>().toEqualTypeOf<"stored" | "memory" | "failed">();
  session.start({ accessToken: "t", grant: "login" });
  session.start({ accessToken: "t", refreshToken: "r", userId: "u", grant: "oauth", region: "us" });
  // @ts-expect-error - no grant
  session.start({ accessToken: "t" });
});

test("the current session has no tokens and cannot be changed", () => {
  expectTypeOf(session.current).toEqualTypeOf<CurrentSession | undefined>();
  expectTypeOf<keyof CurrentSession>().toEqualTypeOf<"id" | "userId" | "grant" | "region" | "startedAt">();
  // @ts-expect-error - read-only
  session.current = undefined;
});

test("an ending resolves to independent facts", () => {
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
});

test("probe needs no session", () => {
  expectTypeOf(probe).returns.resolves.toEqualTypeOf<"active" | "invalid">();
  probe({ ...options, retries: 1 }, { accessToken: "t", region: "us" }, { signal: AbortSignal.abort() });
  // @ts-expect-error - a function of the package
  session.probe;
});

test("an event has a type to branch on", () => {
  expectTypeOf<SessionEvent["type"]>().toEqualTypeOf<
    "started" | "renewed" | "signed-out" | "settled" | "renew-failed" | "store-failed"
  >();
  session.subscribe(({ type, reason, end, error }) => [type, reason, end?.server, error?.code]);
});

test("session.fetch may stand wherever fetch is asked for", () => {
  expectTypeOf(session.fetch).toExtend<typeof fetch>();
});

test("an error has a code to branch on", () => {
  const error = new SessionError("timeout");
  expectTypeOf(error).toExtend<Error>();
  expectTypeOf(error.code).toEqualTypeOf<SessionErrorCode>();
  expectTypeOf(error.status).toEqualTypeOf<number | undefined>();
  expectTypeOf(error.retryAfter).toEqualTypeOf<number | undefined>();
});

test("a store may answer at once or later", () => {
  expectTypeOf(memoryStore()).toEqualTypeOf<TokenStore>();
  const later: TokenStore = {
    read: async () => ({ "session.x": "{}" }),
    write: async () => {},
    remove: async () => {},
  };
  createSession({ ...options, store: later });
});
