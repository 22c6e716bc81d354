/**
 * The webhook by which a Pact Broker starts a build of the provider when a contract was published that the provider
 * has not verified yet. What the build does then is up to it: `contracts:verify -- --pact <url>`, or any verifier.
 */
import { createHash } from "node:crypto";
import { UsageError } from "../command.ts";
import { consumerName, providerName } from "../states.ts";
import { isPrivate } from "../target.ts";

/** Sent for the head of the provider's main branch, and for each version of it that is deployed or released. */
export const event = "contract_requiring_verification_published";

export interface Webhook {
  /** The same for the same address: to set it up again changes it, and adds none. */
  uuid: string;
  body: Record<string, unknown>;
}

/** Filled in by the broker. */
const filled = (name: string) => `\${pactbroker.${name}}`;

/**
 * What a build needs to know: the contract, and which version of the provider is to verify it. The form is that of
 * GitHub's `repository_dispatch`; any other receiver can read it, too, or gets a body of its own.
 */
const dispatch = {
  event_type: event,
  client_payload: {
    pact_url: filled("pactUrl"),
    sha: filled("providerVersionNumber"),
    branch: filled("providerVersionBranch"),
    message: `Verify version ${filled("consumerVersionNumber")} of ${filled("consumerName")}`,
  },
};

/** @throws UsageError when the address is none that a broker may call */
export function webhookFor(
  url: string,
  authorization: string | undefined,
  body: unknown = dispatch,
): Webhook {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (!address || !isPrivate(address))
    throw new UsageError("--url takes the address of the provider's CI: https, or http on loopback.");
  if (address.username || address.password)
    throw new UsageError("--url has credentials: WEBHOOK_AUTHORIZATION takes them, and the broker hides it.");
  const headers = {
    accept: "application/json",
    "content-type": "application/json",
    ...(authorization && { authorization }),
  };
  return {
    uuid: createHash("sha256").update(`${consumerName} ${providerName} ${url}`).digest("hex").slice(0, 32),
    body: {
      description: `Verify contracts of ${consumerName} with ${providerName}`,
      consumer: { name: consumerName },
      provider: { name: providerName },
      events: [{ name: event }],
      request: { method: "POST", url, headers, body },
    },
  };
}
