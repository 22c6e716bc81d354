/** The verification tells apart what passed, what failed, what could not be reached and what was never brought about. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createSandboxApp, type SandboxApp } from "../../src/sandbox/sandbox.ts";
import { type RunningServer, startServer } from "../../src/sandbox/server.ts";
import { type PactFile, readPact } from "../pact-file.ts";
import { sandboxTarget, type Target } from "../target.ts";
import { createDriver } from "./driver.ts";
import { createReplayer, type Replayer } from "./replay.ts";
import { verificationReport } from "./report.ts";
import { failuresOf, type Handlers, type Verdict, verify } from "./verify.ts";

let pact: PactFile;
let replayer: Replayer;
let provider: SandboxApp;
let server: RunningServer;
let target: Target;

beforeAll(async () => {
  pact = await readPact();
  replayer = createReplayer();
});

afterAll(() => replayer.close());

beforeEach(async () => {
  provider = createSandboxApp();
  server = await startServer(provider);
  target = sandboxTarget(provider, server.url);
});

afterEach(() => server.close());

const run = (handlers: Handlers = createDriver(target).handlers, only?: string, of = pact) =>
  verify({ pact: of, target, handlers, replayer, only });

const outcomes = (verdicts: Verdict[]) =>
  Object.fromEntries(verdicts.map(({ description, outcome }) => [description, outcome]));

it("the correct provider passes every interaction", async () => {
  const verdicts = await run();
  expect(new Set(verdicts.map(({ outcome }) => outcome))).toEqual(new Set(["passed"]));
  expect(verdicts).toHaveLength(pact.interactions.length);
  expect(failuresOf(verdicts, target)).toEqual([]);
});

it("the order of the interactions does not matter, which a broker changes", async () => {
  const verdicts = await run(undefined, undefined, {
    ...pact,
    interactions: [...pact.interactions].reverse(),
  });
  expect(new Set(verdicts.map(({ outcome }) => outcome))).toEqual(new Set(["passed"]));
});

it("each request is sent with what its state returned", async () => {
  await run();
  const sent = provider.requests.map(({ authorization, clientKey }) => ({ authorization, clientKey }));
  expect(JSON.stringify(sent)).not.toContain("example-");
  expect(new Set(sent.map(({ clientKey }) => clientKey))).toEqual(
    new Set([provider.clientKey, "not-a-registered-client-key"]),
  );
});

it("a run of one kind of evidence leaves the others out", async () => {
  const verdicts = await run(createDriver(target).handlers, "observed");
  expect(outcomes(verdicts)).toEqual({
    "a logout in the US region": "passed",
    "a logout with a client key that is not registered": "passed",
    "a read of the user in the US region": "passed",
  });
});

it("a state that nobody knows fails the run", async () => {
  const [first] = pact.interactions;
  const providerStates = [{ name: "a session of nobody's", params: { region: "international" } }];
  const unknown: PactFile = { ...pact, interactions: first ? [{ ...first, providerStates }] : [] };
  const verdicts = await run(undefined, undefined, unknown);
  expect(verdicts.map(({ outcome, reasons }) => [outcome, ...reasons])).toEqual([
    [
      "unready",
      'There is no provider state "a session of nobody\'s"; there are: an active session; an authorized OAuth client; a session that was logged out; an OAuth authorization that was revoked.',
    ],
  ]);
});

it("no session is left alive that was begun for a state", async () => {
  const { handlers, endSessions } = createDriver(target);
  await run(handlers);
  const sent = provider.requests.flatMap(({ authorization }) => authorization?.slice(7) ?? []);
  const begun = sent.filter((token) => token.startsWith("US_"));
  expect(begun.some(provider.isAlive)).toBe(true);
  await endSessions();
  expect(begun.some(provider.isAlive)).toBe(false);
});

describe("a state handler", () => {
  // Both would be answered with 401 as the contract says, whatever the state.
  const affected = ["a read of the user after logout", "a second logout"];

  it.each<{ what: string; change: (handlers: Handlers) => void; reason: string }>([
    {
      what: "that is missing",
      change: (handlers) => delete handlers["a session that was logged out"],
      reason: 'The state "a session that was logged out" has no handler.',
    },
    {
      what: "that throws",
      change: (handlers) =>
        Object.assign(handlers, {
          "a session that was logged out": () => Promise.reject(new Error("broken")),
        }),
      reason: "broken",
    },
    {
      what: "that throws before it returns a promise",
      change: (handlers) =>
        Object.assign(handlers, {
          "a session that was logged out": () => {
            throw new Error("broken at once");
          },
        }),
      reason: "broken at once",
    },
    {
      what: "that returns nothing",
      change: (handlers) => Object.assign(handlers, { "a session that was logged out": async () => {} }),
      reason: 'The handler of "a session that was logged out" returned no accessToken.',
    },
    {
      what: "that leaves out a value",
      change: (handlers) =>
        Object.assign(handlers, { "a session that was logged out": async () => ({ accessToken: "dead" }) }),
      reason: 'The handler of "a session that was logged out" returned no clientKey.',
    },
  ])("$what fails the run, in pending interactions too", async ({ change, reason }) => {
    const handlers: Handlers = { ...createDriver(target).handlers };
    change(handlers);
    const verdicts = await run(handlers);
    const unready = verdicts.filter(({ outcome }) => outcome === "unready");
    expect(unready.map(({ description }) => description)).toEqual(affected);
    expect(unready.flatMap(({ reasons }) => reasons)).toEqual([reason, reason]);
    expect(failuresOf(verdicts, { ...target, isSandbox: false })).toHaveLength(2);
  });

  it("that leaves the session alive fails the interaction", async () => {
    const { "an active session": active, ...others } = createDriver(target).handlers;
    const handlers = { ...others, "an active session": active, "a session that was logged out": active };
    const verdicts = await run(handlers);
    expect(outcomes(verdicts)).toMatchObject({ "a read of the user after logout": "failed" });
    expect(failuresOf(verdicts, target)).toEqual(['"a read of the user after logout" failed.']);
  });
});

describe("a state that cannot be reached is skipped, by name,", () => {
  beforeEach(() => {
    target = { ...target, isSandbox: false };
  });

  it("without OAuth access tokens", async () => {
    target.authorizations = [];
    const verdicts = await run();
    const skipped = verdicts.filter(({ outcome }) => outcome === "skipped");
    expect(skipped.map(({ description, reasons }) => [description, ...reasons])).toEqual([
      ["a revocation", "BAANX_TEST_OAUTH_TOKENS is not set"],
      ["a read of the user after revocation", "BAANX_TEST_OAUTH_TOKENS is not set"],
      ["a second revocation", "BAANX_TEST_OAUTH_TOKENS is not set"],
    ]);
    expect(failuresOf(verdicts, target)).toEqual([]);
    expect(verificationReport(verdicts, target)).toContain("skipped  a revocation (documented)");
  });

  it("without a user of the US back end", async () => {
    target = { ...target, usUser: { email: undefined, password: undefined } };
    const skipped = (await run()).filter(({ outcome }) => outcome === "skipped");
    expect(skipped.map(({ description, reasons }) => [description, ...reasons])).toEqual([
      ["a logout in the US region", "BAANX_TEST_US_EMAIL and BAANX_TEST_US_PASSWORD are not set"],
      ["a read of the user in the US region", "BAANX_TEST_US_EMAIL and BAANX_TEST_US_PASSWORD are not set"],
    ]);
  });

  it("with fewer authorizations than interactions that need one", async () => {
    target.authorizations.splice(1);
    expect(outcomes(await run())).toMatchObject({
      "a revocation": "passed",
      "a read of the user after revocation": "skipped",
    });
  });

  it("when the login takes more than a password", async () => {
    const { email, password } = provider.addUser({ otpCode: "123456" });
    target = { ...target, email, password };
    expect(outcomes(await run())).toMatchObject({ "a logout": "skipped", "a revocation": "passed" });
  });

  it("without a client key, and a run in which nothing was verified is no success", async () => {
    target = { ...target, clientKey: undefined };
    const verdicts = await run();
    expect(new Set(verdicts.map(({ outcome }) => outcome))).toEqual(new Set(["skipped"]));
    expect(failuresOf(verdicts, target)).toEqual(["Nothing was verified."]);
  });

  it("except with the sandbox, where all can be reached", async () => {
    target = { ...target, isSandbox: true, authorizations: [] };
    expect(failuresOf(await run(), target)).toHaveLength(3);
  });
});

describe("OAuth authorizations", () => {
  it("of one user serve a run, although the first revocation ends them both", async () => {
    const own = [provider.authorize(), provider.authorize()];
    target = { ...target, authorizations: own.map(({ accessToken }) => [accessToken]), isSandbox: false };
    expect(new Set(Object.values(outcomes(await run())))).toEqual(new Set(["passed"]));
  });

  it("that are not accepted from the beginning fail the run", async () => {
    target = { ...target, authorizations: [["expired"], ["expired-too"]], isSandbox: false };
    const verdicts = await run();
    expect(outcomes(verdicts)).toMatchObject({
      "a revocation": "unready",
      "a read of the user after revocation": "unready",
    });
    expect(verdicts.flatMap(({ reasons }) => reasons)).toContain(
      "a read of the user with entry 1 of BAANX_TEST_OAUTH_TOKENS answered 401",
    );
  });
});

describe("a mismatch", () => {
  it("in a pending interaction is shown and fails no run", async () => {
    provider.misbehave({ path: "/v1/auth/logout", method: "POST", status: 418, handled: false });
    const verdicts = await run(undefined, "observed");
    const [verdict] = verdicts.filter(({ description }) => description.endsWith("not registered"));
    expect(verdict).toMatchObject({ outcome: "failed", reasons: ["status: expected 498, was 418"] });
    expect(failuresOf(verdicts, target)).toEqual([]);
    expect(verificationReport(verdicts, target)).toContain("pending  a logout with a client key");
  });

  it("is told with its place, what was expected and what was there", async () => {
    provider.misbehave({ path: "/v1/auth/logout", body: '{"success":"true"}' });
    provider.misbehave({ path: "/v1/user", body: '{"id":1}', handled: true });
    const verdicts = await run(undefined, "documented");
    const reasonsOf = (name: string) => verdicts.find(({ description }) => description === name)?.reasons;
    expect(reasonsOf("a logout")).toEqual(['$.success: expected true (Boolean), was "true" (String)']);
    expect(reasonsOf("a read of the user")).toEqual(["$.id: expected a String, was 1 (Integer)"]);
  });

  it("is told without the secrets that the provider repeats", async () => {
    provider.misbehave({
      path: "/v1/auth/logout",
      body: ({ headers }) => JSON.stringify({ success: headers.get("authorization") + provider.clientKey }),
    });
    const verdicts = await run(createDriver({ ...target, authorizations: [] }).handlers);
    const report = verificationReport(verdicts, target);
    expect(report).toContain("[secret][secret]");
    for (const secret of [provider.clientKey, provider.user.password, "US_sandbox", "access_token_sandbox"])
      expect(report).not.toContain(secret);
  });
});

it("a connection that the provider drops fails the interaction, and the run goes on", async () => {
  provider.misbehave({ method: "GET", path: "/v1/user", drop: true });
  const { handlers } = createDriver({ ...target, authorizations: [] });
  const verdicts = await run(handlers);
  expect(outcomes(verdicts)).toMatchObject({
    "a read of the user": "failed",
    "a read of the user after logout": "failed",
    "a second logout": "passed",
  });
  expect(verdicts.find(({ description }) => description === "a read of the user")?.reasons).toEqual([
    "no answer: socket hang up",
  ]);
});
