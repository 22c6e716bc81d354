/** Whether an access token is accepted: one read of `/v1/user`, which changes nothing. */
import { ask } from "./ending.ts";
import type { Region } from "./entry.ts";
import { SessionError } from "./errors.ts";
import { type Config, check } from "./options.ts";
import { within } from "./within.ts";

/** The token to ask about. */
export interface ProbeTarget {
  accessToken: string;
  /** Default: the region of the session's options. */
  region?: Region;
}

export async function probe(config: Config, target: ProbeTarget): Promise<"active" | "invalid"> {
  const { accessToken, region = config.region } = target;
  check({ accessToken, region });
  const controller = new AbortController();
  const patience = { retries: 0, endsAt: 0, signal: controller.signal };
  const outcome = await within(
    config.timeout,
    ask(config, "user", { tokens: { accessToken }, region }, patience),
  );
  controller.abort();
  if (typeof outcome === "string") return outcome === "confirmed" ? "active" : "invalid";
  throw outcome ?? new SessionError("timeout");
}
