/** The conformance run judges by evidence, skips by name and shows no secret. */
import { beforeEach, describe, expect, it } from "vitest";
import { createSandboxApp, type SandboxApp } from "../../src/sandbox/sandbox.ts";
import { sandboxTarget, type Target } from "../target.ts";
import { conformanceJson, conformanceTable } from "./report.ts";
import { conformanceFailures, type Result, runConformance } from "./run.ts";

let provider: SandboxApp;
let target: Target;
let pauses: number;

beforeEach(() => {
  provider = createSandboxApp();
  target = { ...sandboxTarget(provider, "http://127.0.0.1"), fetch: provider.fetch };
  pauses = 0;
});

const run = (of: Target = target, probeNegative?: boolean) =>
  runConformance({
    target: of,
    pause: async () => void pauses++,
    ...(probeNegative !== undefined && { probeNegative }),
  });

const named = (results: Result[], outcome: Result["outcome"]) =>
  results.filter((result) => result.outcome === outcome).map(({ name, reason }) => `${name}: ${reason}`);

it("passes the sandbox in every step, and pauses twice", async () => {
  const results = await run();
  expect([...named(results, "failed"), ...named(results, "skipped")]).toEqual([]);
  expect(conformanceFailures(results, target)).toEqual([]);
  expect(pauses).toBe(2);
});

it("ends every session that it began", async () => {
  await run();
  const sent = provider.requests.flatMap(({ authorization }) => authorization?.slice(7) ?? []);
  const begun = sent.filter((token) => /^(US|login)_/.test(token));
  expect(begun).not.toEqual([]);
  expect(begun.some(provider.isAlive)).toBe(false);
});

describe("against a provider that is not the sandbox", () => {
  beforeEach(() => {
    target = { ...target, isSandbox: false };
  });

  it("sends objectionable requests only with --probe-negative", async () => {
    const paths = () => provider.requests.map(({ method, path }) => `${method} ${path}`);
    const skipped = named(await run(), "skipped");
    expect(skipped).toEqual([
      "an access token in the query string is not accepted: needs --probe-negative",
      "GET on logout ends nothing: needs --probe-negative",
      "a login with a wrong password is refused: needs --probe-negative",
    ]);
    expect(paths()).not.toContain("GET /v1/auth/logout");
  });

  it("sends every request with --probe-negative", async () => {
    expect(named(await run(target, true), "skipped")).toEqual([]);
  });

  it("skips steps that lack credentials, by name", async () => {
    const results = await run({ ...target, authorizations: [] });
    const reasons = named(results, "skipped").filter((line) => line.includes("BAANX_TEST_OAUTH_TOKENS"));
    expect(reasons).toHaveLength(4);
    expect(conformanceFailures(results, target)).toEqual([]);
  });

  it("runs nothing without a client key, and fails", async () => {
    const results = await run({ ...target, clientKey: undefined });
    expect(named(results, "skipped")).toHaveLength(results.length);
    expect(conformanceFailures(results, target)).toEqual(["Nothing was run."]);
    expect(provider.requests).toEqual([]);
  });

  it("checks a revocation with another user's authorization, and skips its side effects", async () => {
    const other = provider.authorize(provider.addUser().id);
    const results = await run({ ...target, authorizations: [[other.accessToken]] });
    expect(named(results, "failed")).toEqual([]);
    expect(named(results, "skipped").join("\n")).toContain(
      "a revocation does not log the user out: BAANX_TEST_OAUTH_TOKENS lacks an authorization of the user who logs in",
    );
  });
});

describe("a failed step", () => {
  it("does not fail the run if it is not documented", async () => {
    const otherwise: typeof fetch = async (input, init) => {
      const answer = await provider.fetch(input, init);
      return answer.status === 499 ? Response.json({ message: "No key" }, { status: 400 }) : answer;
    };
    const results = await run({ ...target, fetch: otherwise });
    expect(named(results, "failed")).toEqual([
      "a missing client key is answered with 499, as JSON: answered 400 instead of 499",
    ]);
    expect(conformanceFailures(results, target)).toEqual([]);
  });

  it("fails the run if it is documented, and skips the steps that depend on it", async () => {
    provider.misbehave({ method: "POST", path: "/v1/auth/logout", status: 500 });
    const results = await run();
    expect(conformanceFailures(results, target)).toContain('"a logout answers 200" failed.');
    expect(named(results, "skipped")).toContain(
      "the token is refused with 401 at once: a session that was logged out was not reached",
    );
  });
});

describe("a report", () => {
  it("prints a table that names the proof, or JSON for a pipeline", async () => {
    const results = await run();
    expect(conformanceTable(results, target)).toContain("the sandbox: this does not prove Baanx");
    expect(JSON.parse(conformanceJson(results, target))).toMatchObject({
      isSandbox: true,
      failures: [],
      steps: results,
    });
  });

  it("redacts secrets, including any that the provider repeats", async () => {
    const echo: typeof fetch = async (input, init) => {
      const answer = await provider.fetch(input, init);
      const sent = new Headers(init?.headers);
      const said = `text/${sent.get("authorization")?.slice(7) ?? "none"}+${sent.get("x-client-key")}`;
      return answer.status === 401
        ? new Response("{}", { status: 401, headers: { "content-type": said } })
        : answer;
    };
    const report = conformanceTable(await run({ ...target, fetch: echo }), target);
    expect(report).toContain("[secret]");
    for (const secret of [provider.clientKey, "US_sandbox", "access_token_sandbox"])
      expect(report).not.toContain(secret);
  });
});
