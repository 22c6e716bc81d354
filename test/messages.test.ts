/** The messages of errors: the cause, the fix, and a section of docs/results-and-errors.md that exists. */
import { readFileSync } from "node:fs";
import { expect, it, vi } from "vitest";
import { memoryStore, SessionError, type SessionErrorCode } from "../src/index.ts";
import { LOGOUT, REVOKE, reopen, setup, useFakeTime } from "./support.ts";

const callMessage = (session: ReturnType<typeof setup>["session"]): Promise<string> =>
  session.client.GET("/v1/user").then(
    () => "no error",
    (error: Error) => error.message,
  );

it("links a section of the document for each code, and each section is about a code", () => {
  const headings = readFileSync("docs/results-and-errors.md", "utf8").split("\n## Errors\n")[1] ?? "";
  const sections = [...headings.matchAll(/^### (.+)$/gm)].map(([, name]) => name as SessionErrorCode);
  expect(sections).toHaveLength(17);
  const source = readFileSync("src/errors.ts", "utf8");
  expect([...source.matchAll(/^ {2}\| "(.+)"/gm)].map(([, code]) => code)).toEqual(sections);
  for (const code of sections)
    expect(new SessionError(code).message).toBe(`${code} (docs/results-and-errors.md#${code})`);
});

it("says when the session ended, to a call after a 401, an ending elsewhere or an ending in flight", async () => {
  useFakeTime();
  const at = new Date().toISOString();
  const message = `no-session: nobody is signed in, the session ended at ${at}: call start() after a login (docs/results-and-errors.md#no-session)`;
  const refused = setup();
  await refused.startLogin();
  refused.provider.misbehave({ status: 401, times: 1 });
  await refused.session.client.GET("/v1/user");

  const store = memoryStore();
  const here = setup({ store });
  const there = setup({ store });
  await here.startLogin();
  await there.session.ready();
  await here.session.end();
  await there.session.ready();

  const inFlight = setup();
  await inFlight.startLogin();
  inFlight.provider.misbehave({ path: LOGOUT, delay: "forever" });
  void inFlight.session.end();

  vi.setSystemTime(Date.now() + 60_000);
  for (const { session } of [refused, there, inFlight]) expect(await callMessage(session)).toBe(message);
});

it("names end() after revoke() of a login session, whatever the server answers", async () => {
  for (const status of [401, 403, 404]) {
    const { provider, session, startLogin } = setup();
    await startLogin();
    provider.misbehave({ path: REVOKE, status });
    const { error } = await session.revoke();
    expect(error?.message).toContain(`status ${status}, revoke() is for OAuth sessions: use end()`);
  }
  const { provider, session, startLogin, startOAuth } = setup();
  await startLogin();
  provider.misbehave({ path: REVOKE, status: 498 });
  expect((await session.revoke()).error?.message).toContain("check clientKey");
  await startOAuth();
  provider.misbehave({ path: REVOKE, status: 403 });
  expect((await session.revoke()).error?.message).not.toContain("end()");
});

it.each([
  {
    fault: { drop: true },
    says: /the server is not reachable, the name in baseUrl is wrong, or .* CORS check/,
  },
  { fault: { status: 498 }, says: /check clientKey: it differs per environment, and must belong to baseUrl/ },
  { fault: { status: 499 }, says: /a proxy on the way removes the header x-client-key/ },
  { fault: { status: 401, path: REVOKE }, says: /a refresh token may be alive: renew it and revoke again/ },
] as const)("names the causes and the fix: $says", async ({ fault, says }) => {
  const { provider, session, startOAuth } = setup({ retries: 0 });
  await startOAuth();
  provider.misbehave(fault);
  const { error } = await session.end();
  expect(error?.message).toMatch(says);
});

it("gives debug a line for each request, answer, store call and event, without tokens and queries", async () => {
  const lines: string[] = [];
  const { session, startLogin } = await reopen({ store: memoryStore(), debug: (line) => lines.push(line) });
  const { accessToken } = await startLogin();
  await session.client.GET("/v1/user", { params: { query: { token: accessToken } } } as never);
  await session.end();
  // The name of a record holds its id.
  expect([...new Set(lines.map((line) => line.replace(/^(store \w+ ).*/, "$1a record")))].sort()).toEqual([
    "answer 200 to GET /v1/user",
    "answer 200 to POST /v1/auth/logout",
    "event settled confirmed cleared",
    "event signed-out",
    "event signed-out ended",
    "event started",
    "request GET /v1/user",
    "request POST /v1/auth/logout",
    "store read a record",
    "store remove a record",
    "store write a record",
  ]);
  expect(lines.join()).not.toContain(accessToken);
});
