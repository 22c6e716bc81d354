/**
 * Turns an interaction into a Pact mock server and, when the consumer did what it says, into a line of
 * the pact file. Which interactions there are is told by `interactions.ts`.
 */
import { MatchersV3, PactV4 } from "@pact-foundation/pact";
import { firstLine } from "../command.ts";
import { consumerName, providerName, type StateParameters, states } from "../states.ts";
import type { Interaction } from "./interactions.ts";

/** What a consumer needs to call the mock: the examples of the interaction's state. */
export interface Mock {
  baseUrl: string;
  clientKey: string;
  accessToken: string;
  region: StateParameters["region"];
}

/**
 * Runs a test against a mock of one interaction, and adds the interaction to the pact file in `dir`. Rejects, with the
 * name of the interaction, when the mock received another request or none, or else when the test failed: the test may
 * have failed since the mock refused its request. What is in `dir` then is of no use.
 */
export async function withMock(
  dir: string,
  interaction: Interaction,
  test: (mock: Mock) => Promise<void>,
): Promise<void> {
  const { description, state, evidence, source, region = "international" } = interaction;
  const { method, path, clientKey = "clientKey", status, body } = interaction;
  const pact = new PactV4({ consumer: consumerName, provider: providerName, dir, logLevel: "error" });
  const values: Record<string, string> = states[state].values;
  const { accessToken = "", [clientKey]: key = "" } = values;
  let failure: unknown;
  const recorded = pact
    .addInteraction()
    .given(state, { region })
    .uponReceiving(description)
    .reference("evidence", "kind", evidence)
    .reference("evidence", "source", source)
    .pending(evidence !== "documented")
    .withRequest(method, path, (request) => {
      request.headers({
        authorization: fromState("Bearer ", "accessToken", accessToken),
        "x-client-key": fromState("", clientKey, key),
        ...(region === "us" && { "x-us-env": "true" }),
      });
    })
    .willRespondWith(status, (response) => {
      // Pact compares a body only where the type is the expected one, unless any type is.
      if (body)
        response.headers({ "Content-Type": MatchersV3.regex(".*", "application/json") }).jsonBody(body);
    })
    .executeTest((server) =>
      test({ baseUrl: server.url, clientKey: key, accessToken, region }).catch((error: unknown) => {
        failure = error;
      }),
    );
  try {
    await recorded;
  } catch (error) {
    throw new Error(`${description}: ${refusalsIn(error)}`, { cause: failure ?? error });
  }
  if (failure) throw new Error(`${description}: ${firstLine(failure)}`, { cause: failure });
}

/** What the mock had against the requests that it received, out of Pact's message of many lines. */
function refusalsIn(error: unknown): string {
  const lines = String(error instanceof Error ? error.message : error).split("\n");
  const refusals = lines.flatMap((line, index) => {
    const numbered = /^\s+\d+\.\d+ (.+)$/.exec(line)?.[1];
    const whole = /The following request was (not expected|expected but not received)/.exec(line)?.[1];
    const request = lines.slice(index + 1).find((next) => next.trim() !== "");
    return numbered ?? (whole ? `${request?.trim()} was ${whole}` : []);
  });
  return refusals.length > 0 ? refusals.join("; ") : firstLine(error);
}

/**
 * A header whose value comes from the provider state. Pact's own `fromProviderState` adds a type matcher,
 * by which the mock takes any text; here it takes the example alone.
 */
function fromState(prefix: string, name: string, example: string): MatchersV3.Matcher<string> {
  const matcher = {
    "pact:matcher:type": "regex",
    regex: `^${prefix}${example}$`,
    "pact:generator:type": "ProviderState",
    expression: `${prefix}\${${name}}`,
    value: `${prefix}${example}`,
  };
  return matcher;
}
