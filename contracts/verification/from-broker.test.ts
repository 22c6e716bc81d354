/** A verification from a broker: what is published, what is not, and when the run fails. The broker is played. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Broker, BrokerError, type PactToVerify, type Result } from "../broker/http.ts";
import { startIndependentProvider } from "../fixtures/run.ts";
import { readPact } from "../pact-file.ts";
import { verifyFromBroker } from "./from-broker.ts";
import { createReplayer, type Replayer } from "./replay.ts";

let replayer: Replayer;
let toVerify: PactToVerify;

beforeAll(async () => {
  replayer = createReplayer();
  const pact = { ...(await readPact()), _links: { self: { href: "https://broker.example" } } };
  toVerify = {
    pact,
    because: "latest from branch main",
    pending: false,
    resultsUrl: "https://broker.example/results",
  };
});

afterAll(() => replayer.close());

async function verifyWith(found: PactToVerify[], environment: Record<string, string> = {}, refuses = false) {
  const results: Result[] = [];
  const broker: Broker = {
    check: async () => {},
    pactsToVerify: async () => found,
    pactAt: async () => toVerify,
    recordProviderBranch: async () => {},
    isVerifiedByProvider: async () => false,
    async publishResult(_, result) {
      if (refuses) throw new BrokerError("The broker answered 500 to the result of the verification.");
      results.push(result);
    },
  };
  const publication = { version: "p1", branch: "main", buildUrl: undefined, origin: "told" };
  const write = () => {};
  const run = { broker, environment, allowProduction: false, replayer, branch: "main", publication, write };
  return { failures: await verifyFromBroker(run), results };
}

const result = (success: boolean) => ({
  ...{ success, version: "p1", buildUrl: undefined },
  testResults: expect.arrayContaining([expect.objectContaining({ success: true })]),
});

it("a result that the broker does not take fails the run, though the provider is right", async () => {
  const { failures } = await verifyWith([toVerify], {}, true);
  expect(failures).toEqual([
    "The result was not published: The broker answered 500 to the result of the verification.",
  ]);
});

it("a run without a contract is no success", async () => {
  expect(await verifyWith([])).toMatchObject({ failures: [expect.stringContaining("Nothing was verified")] });
});

it("what was replayed in part is not published", async () => {
  const { url, environment, stop } = await startIndependentProvider();
  const { BAANX_TEST_OAUTH_TOKENS: _, ...others } = environment;
  const { failures, results } = await verifyWith([toVerify], { ...others, PROVIDER_BASE_URL: url });
  await stop();
  expect(results).toEqual([]);
  expect(failures).toEqual([
    expect.stringMatching(/^The result was not published: 3 of \d+ interactions were not replayed; /),
  ]);
});

it("a pending contract that is broken is published as broken, and does not fail the run", async () => {
  const { url, environment, stop } = await startIndependentProvider("--forget-logout");
  const of = { ...environment, PROVIDER_BASE_URL: url };
  const verified = await verifyWith([{ ...toVerify, pending: true }], of);
  await stop();
  expect(verified).toEqual({ failures: [], results: [result(false)] });
});

it("the sandbox has authorizations enough for any number of contracts", async () => {
  const verified = await verifyWith([toVerify, toVerify]);
  expect(verified).toEqual({ failures: [], results: [result(true), result(true)] });
});
