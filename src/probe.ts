/** Whether an access token is accepted: one read of `/v1/user`, which changes nothing. */
import { ask } from "./ask.ts";
import { type Config, check } from "./options.ts";
import type { Region } from "./record.ts";
import { createScope } from "./scope.ts";

/** The token to ask about. */
export interface ProbeTarget {
  /** The bearer token, of characters 0x21 to 0x7E. */
  accessToken: string;
  /** Default: the region of the session's options. */
  region?: Region | undefined;
}

/** @param retries - further attempts */
export async function probe(config: Config, target: ProbeTarget, retries = 0): Promise<"active" | "invalid"> {
  const { accessToken, region = config.region } = target;
  check({ accessToken, region });
  const scope = createScope(config.timeout);
  try {
    const patience = { retries, endsAt: Date.now() + config.timeout, scope };
    const outcome = await ask(config, "user", { accessToken, region }, patience);
    if (typeof outcome !== "string") throw outcome;
    return outcome === "confirmed" ? "active" : "invalid";
  } finally {
    scope.close();
  }
}
