/** Ends many tokens at once, without a connection for each of them. For a list in a file there is `baanx-session --stdin`. */
import { type EndSessionOptions, type EndTarget, endSession, type ServerEnd } from "baanx-session";
import pLimit from "p-limit";

/**
 * @param concurrency - requests in flight, and so the most connections
 * @returns the results in the order of the targets
 */
export function endAll(
  api: EndSessionOptions,
  targets: readonly EndTarget[],
  concurrency = 32,
): Promise<ServerEnd[]> {
  return pLimit(concurrency).map(targets, (target) => endSession(api, target));
}
