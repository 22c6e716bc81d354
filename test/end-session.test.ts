/** Ending one token without a session object. */
import { getEventListeners } from "node:events";
import { expect, it, vi } from "vitest";
import { type EndSessionOptions, endSession } from "../src/index.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import { BASE_URL, endings, LOGOUT, REVOKE, useFakeTime } from "./support.ts";

function world(options: Partial<EndSessionOptions> = {}) {
  const provider = createSandboxApp();
  const { clientKey, fetch } = provider;
  return { provider, options: { baseUrl: BASE_URL, clientKey, fetch, ...options } };
}

it("logs a login out, and revokes an authorization", async () => {
  const { provider, options } = world();
  const login = provider.login();
  const ended = { endpoint: "logout", server: "confirmed" };
  expect(await endSession(options, { ...login, grant: "login" })).toEqual(ended);
  const authorization = provider.authorize();
  const revoked = { endpoint: "revoke", server: "confirmed" };
  expect(await endSession(options, { ...authorization, grant: "oauth" })).toEqual(revoked);
  expect(endings(provider)).toEqual([LOGOUT, REVOKE]);
  for (const token of [login.accessToken, authorization.accessToken, authorization.refreshToken])
    expect(provider.isAlive(token)).toBe(false);
});

it("sends the request to the region of the token", async () => {
  const { provider, options } = world();
  const { accessToken } = provider.login(undefined, "us");
  expect(await endSession(options, { accessToken, grant: "login", region: "us" })).toMatchObject({
    server: "confirmed",
  });
  expect(provider.requests.at(-1)?.region).toBe("us");
});

it("reports a 401 as already-invalid for a logout, and as unconfirmed for a revoke", async () => {
  const { options } = world();
  const accessToken = "example-access-token";
  const refused = { endpoint: "logout", server: "already-invalid" };
  expect(await endSession(options, { accessToken, grant: "login" })).toEqual(refused);
  expect(await endSession(options, { accessToken, grant: "oauth" })).toMatchObject({
    endpoint: "revoke",
    server: "unconfirmed",
    error: { code: "unauthorized", status: 401 },
  });
});

it("keeps its deadline, and leaves no timer", async () => {
  const { provider, options } = world({ timeout: 1_000 });
  const { accessToken } = provider.login();
  provider.misbehave({ delay: "forever" });
  useFakeTime();
  const ending = endSession(options, { accessToken, grant: "login" });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await ending).toMatchObject({ server: "unconfirmed", error: { code: "timeout" } });
  expect(vi.getTimerCount()).toBe(0);
});

it("resolves for a caller that aborts before or after the request, and leaves no listener", async () => {
  const { provider, options } = world();
  const { accessToken } = provider.login();
  provider.misbehave({ delay: "forever" });
  const before = await endSession(options, { accessToken, grant: "login" }, { signal: AbortSignal.abort() });
  expect(before).toMatchObject({ server: "unconfirmed", error: { code: "aborted" } });
  expect(endings(provider)).toEqual([]);
  const caller = new AbortController();
  const ending = endSession(options, { accessToken, grant: "login" }, { signal: caller.signal });
  caller.abort();
  expect(await ending).toMatchObject({ server: "unconfirmed", error: { code: "aborted" } });
  expect(getEventListeners(caller.signal, "abort")).toEqual([]);
});

it.each([
  [{ accessToken: "two words", grant: "login" }, /accessToken must be/],
  [{ accessToken: "example", grant: "magic" }, /grant must be/],
  [{ accessToken: "example", grant: "login", region: "eu" }, /region must be/],
])("refuses %o before sending a request, and names the problem", async (target, message) => {
  const { provider, options } = world();
  await expect(endSession(options, target as never)).rejects.toMatchObject({
    code: "invalid-option",
    message,
  });
  expect(provider.requests).toEqual([]);
});
