/** Hands a pending logout to the queue of `server-queue` instead of the API. */
import { addEnding, type EndingQueue } from "../server-queue/queue.ts";
import type { Seal } from "../server-queue/seal.ts";

/**
 * Returns a fetch for `flushPending`: a logout becomes a job and counts as confirmed, so that the session drops its token.
 * From then on the token is in Redis only as the job seals it, and `confirmed` in a result of this session means that the
 * job exists. Only the sweep uses it: a user's own logout gets the answer of the API.
 */
export function handOverTo(queue: EndingQueue, seal: Seal, baseUrl: string): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    // A revoke with an expired access token has to renew, which only the session can.
    if (!request.url.endsWith("/v1/auth/logout")) return fetch(request);
    const accessToken = request.headers.get("authorization")?.replace(/^Bearer /, "") ?? "";
    const region = request.headers.has("x-us-env") ? "us" : "international";
    await addEnding(queue, seal, { accessToken, place: { baseUrl, grant: "login", region } });
    return Response.json({ success: true });
  };
}
