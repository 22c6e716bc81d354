/** The verification distinguishes passed, failed, skipped and unready interactions. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Interaction, replayReport } from "../../src/cli/pact-replay.ts";
import { createSandboxApp, type SandboxApp } from "../../src/sandbox/sandbox.ts";
import { type RunningServer, startServer } from "../../src/sandbox/server.ts";
import { type PactFile, readPact } from "../pact-file.ts";
import { sandboxTarget, type Target } from "../target.ts";
import { createDriver } from "./driver.ts";
import { type Handlers, verificationFailures, verifyFile } from "./verify.ts";

const pact = await readPact();
let provider: SandboxApp;
let server: RunningServer;
let target: Target;

beforeEach(async () => {
  provider = createSandboxApp();
  server = await startServer(provider);
  // Like any other provider, it has only the authorizations that it was given.
  const { authorize: _, ...given } = sandboxTarget(provider, server.url);
  target = { ...given, isSandbox: false };
});

afterEach(() => server.close());

const run = (handlers: Handlers = createDriver(target).handlers, of = pact, only?: string) =>
  verifyFile(of, { target, handlers }, only);

/** The interactions that did not pass, with outcome and reason. */
const others = (interactions: Interaction[]) =>
  Object.fromEntries(
    interactions.flatMap(({ description, outcome, reason }) =>
      outcome === "passed" ? [] : [[description, `${outcome}: ${reason}`]],
    ),
  );

it("passes the correct provider in every interaction, in any order, with the values of each state", async () => {
  const interactions = await run(undefined, { ...pact, interactions: [...pact.interactions].reverse() });
  expect(others(interactions)).toEqual({});
  expect(interactions).toHaveLength(pact.interactions.length);
  expect(verificationFailures(interactions, target)).toEqual([]);
  const sent = provider.requests.map(({ authorization, clientKey }) => ({ authorization, clientKey }));
  expect(JSON.stringify(sent)).not.toContain("example-");
  expect(new Set(sent.map(({ clientKey }) => clientKey))).toEqual(
    new Set([provider.clientKey, "not-a-registered-client-key"]),
  );
});

it("replays one kind of evidence alone", async () => {
  const interactions = await run(undefined, pact, "observed");
  expect(interactions.map(({ description }) => description)).toEqual([
    "a logout in the US region",
    "a logout with a client key that is not registered",
  ]);
});

it("ends every session that it began for a state", async () => {
  const { handlers, endSessions } = createDriver(target);
  await run(handlers);
  const sent = provider.requests.flatMap(({ authorization }) => authorization?.slice(7) ?? []);
  const begun = sent.filter((token) => token.startsWith("US_"));
  expect(begun.some(provider.isAlive)).toBe(true);
  await endSessions();
  expect(begun.some(provider.isAlive)).toBe(false);
});

// Both would be answered with 401, as in the contract, without their state.
const affected = ["a read of the user after logout", "a second logout"];

describe("a state", () => {
  const state = "a session that was logged out";

  it.each<[what: string, handler: unknown, reason: string]>([
    ["is missing", undefined, `The state "${state}" lacks a handler.`],
    ["rejects", () => Promise.reject(new Error("broken")), "broken"],
    [
      "throws before it returns a promise",
      () => {
        throw new Error("broken at once");
      },
      "broken at once",
    ],
    ["returns nothing", async () => {}, `The handler of "${state}" returned no accessToken.`],
    [
      "leaves out a value",
      async () => ({ accessToken: "dead" }),
      `The handler of "${state}" returned no clientKey.`,
    ],
  ])("whose handler %s fails the run, in pending interactions too", async (_, handler, reason) => {
    const interactions = await run({ ...createDriver(target).handlers, [state]: handler } as Handlers);
    const said = `unready: ${reason}`;
    expect(others(interactions)).toEqual(Object.fromEntries(affected.map((name) => [name, said])));
    expect(verificationFailures(interactions, target)).toEqual(
      affected.map((name) => `The state of "${name}" was not brought about.`),
    );
    expect(replayReport(interactions, "it")).toMatch(`✗ not brought about: ${state}: ${reason}\n`);
  });

  it.each([
    ["a session that never was", { region: "us" }, "Unknown provider state"],
    ["an active session", { region: "eu" }, "takes one parameter: region"],
  ])("that is not known fails the run: %s %j", async (name, params, reason) => {
    const [first] = pact.interactions;
    const unknown: PactFile = {
      ...pact,
      interactions: first ? [{ ...first, providerStates: [{ name, params }] }] : [],
    };
    const [interaction] = await run(undefined, unknown);
    expect(interaction).toMatchObject({ outcome: "unready", reason: expect.stringContaining(reason) });
  });

  it("fails the interaction if it leaves the session alive", async () => {
    const { "an active session": active, ...handlers } = createDriver(target).handlers;
    const interactions = await run({ ...handlers, "an active session": active, [state]: active });
    expect(others(interactions)).toMatchObject({
      "a read of the user after logout": "failed: status: expected 401 but was 200",
    });
    expect(verificationFailures(interactions, target)).toEqual(['"a read of the user after logout" failed.']);
  });
});

describe("the verification of an unreachable state", () => {
  const oauth = ["a revocation", "a read of the user after revocation", "a second revocation"];
  const skipped = (names: string[], reason: string) =>
    Object.fromEntries(names.map((name) => [name, `skipped: ${reason}`]));

  it("skips without OAuth access tokens, but fails the sandbox, which can reach all states", async () => {
    target.authorizations = [];
    const interactions = await run();
    expect(others(interactions)).toEqual(skipped(oauth, "BAANX_TEST_OAUTH_TOKENS is not set"));
    expect(verificationFailures(interactions, target)).toEqual([]);
    expect(verificationFailures(interactions, { ...target, isSandbox: true })).toHaveLength(3);
  });

  it.each<[why: string, change: () => Partial<Target>, names: string[], reason: string]>([
    [
      "without a user of the US back end",
      () => ({ usUser: { email: undefined, password: undefined } }),
      ["a logout in the US region", "a read of the user in the US region"],
      "BAANX_TEST_US_EMAIL and BAANX_TEST_US_PASSWORD are not set",
    ],
    [
      "if there are fewer authorizations than interactions that need one",
      () => ({ authorizations: target.authorizations.slice(0, 1) }),
      oauth.slice(1),
      "the 1 OAuth authorizations are used up",
    ],
    [
      "if the login needs more than a password",
      () => provider.addUser({ otpCode: "123456" }),
      ["a logout", "a logout with a client key that is not registered", "a read of the user", ...affected],
      "the login of this user takes more than a password",
    ],
  ])("skips %s", async (_, change, names, reason) => {
    target = { ...target, ...change() };
    expect(others(await run())).toEqual(skipped(names, reason));
  });

  it("skips without a client key, and fails a run that verified nothing", async () => {
    const interactions = await run(createDriver({ ...target, clientKey: undefined }).handlers);
    expect(new Set(interactions.map(({ outcome }) => outcome))).toEqual(new Set(["skipped"]));
    expect(verificationFailures(interactions, target)).toEqual(["Nothing was verified."]);
  });
});

describe("OAuth authorizations", () => {
  it("serve a run if they belong to one user, although the first revocation ends both", async () => {
    const own = [provider.authorize(), provider.authorize()];
    target = { ...target, authorizations: own.map(({ accessToken }) => [accessToken]) };
    expect(others(await run())).toEqual({});
  });

  it("fail the run if they are not accepted at the start", async () => {
    target = { ...target, authorizations: [["expired"], ["expired-too"]] };
    expect(others(await run())).toMatchObject({
      "a revocation": "unready: a read of the user with entry 1 of BAANX_TEST_OAUTH_TOKENS answered 401",
    });
  });
});

describe("a mismatch", () => {
  it("does not fail the run in a pending interaction", async () => {
    provider.misbehave({ path: "/v1/auth/logout", method: "POST", status: 418, handled: false });
    const interactions = await run(undefined, pact, "observed");
    expect(Object.values(others(interactions))).toContain("pending: status: expected 498 but was 418");
    expect(verificationFailures(interactions, target)).toEqual([]);
    expect(replayReport(interactions, "it")).toContain("  pending: a logout");
  });

  it("names its place and both values, without the secrets that the provider repeats", async () => {
    provider.misbehave({
      path: "/v1/auth/logout",
      body: ({ headers }) => JSON.stringify({ success: headers.get("authorization") + provider.clientKey }),
    });
    provider.misbehave({ path: "/v1/user", body: '{"id":1}', handled: true });
    const report = replayReport(await run(undefined, pact, "documented"), "it");
    expect(report).toContain(
      "$.success: Expected 'Bearer [secret][secret]' (String) to be equal to true (Boolean)",
    );
    expect(report).toMatch(/\$\.id: Expected 1 \(Integer\) to be the same type as '.*' \(String\)/);
    for (const secret of [provider.clientKey, provider.user.password, "US_sandbox", "access_token_sandbox"])
      expect(report).not.toContain(secret);
  });
});

it("fails an interaction whose connection the provider drops, and goes on", async () => {
  provider.misbehave({ method: "GET", path: "/v1/user", drop: true });
  // The driver itself reads the user of each authorization first.
  const interactions = await run(
    createDriver({ ...target, authorizations: [] }).handlers,
    pact,
    "documented",
  );
  expect(others(interactions)).toMatchObject({ "a read of the user": expect.stringMatching(/^failed: /) });
  expect(interactions.some(({ outcome }) => outcome === "passed")).toBe(true);
});
