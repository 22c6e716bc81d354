/**
 * Turns an interaction into a Pact mock server, and into an entry of the pact file if the consumer sent its request.
 * `interactions.ts` defines the interactions.
 */
import { MatchersV3, PactV4 } from "@pact-foundation/pact";
import { firstLine } from "../command.ts";
import { consumerName, providerName, type StateParameters, states } from "../states.ts";
import type { Interaction } from "./interactions.ts";

/** The values that a consumer needs to call the mock: the examples of the interaction's state. */
export interface Mock {
  baseUrl: string;
  clientKey: string;
  accessToken: string;
  region: StateParameters["region"];
}

/**
 * Runs a test against a mock of one interaction, and adds the interaction to the pact file in `dir`. Rejects with the
 * name of the interaction if the mock received no request or a different one, or else if the test failed. A refused
 * request is reported first because it may have failed the test. After a rejection, do not use the files in `dir`.
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
      // Pact compares a body only if its content type is the expected one, or any type is allowed.
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

/** Extracts the mock's objections to the requests from Pact's long message. */
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
 * A header whose value comes from the provider state. Pact's own `fromProviderState` adds a type matcher, with which the
 * mock accepts any string. Here it accepts the example only.
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
