/** What takes the place of the API for a logout that a process has left: the queue of `server-queue`. */
import { type EndingQueue, jobOf } from "../server-queue/queue.ts";
import type { Seal } from "../server-queue/seal.ts";

/**
 * A fetch for `flushPending`: a logout becomes a job, which is as good as confirmed, so that the session forgets its token.
 * From then on the token is in Redis as the job seals it.
 */
export function handOverTo(queue: EndingQueue, seal: Seal, baseUrl: string): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    // Only the session can renew, which a revocation with an expired access token needs.
    if (!request.url.endsWith("/v1/auth/logout")) return fetch(request);
    const accessToken = request.headers.get("authorization")?.replace(/^Bearer /, "") ?? "";
    const region = request.headers.has("x-us-env") ? "us" : "international";
    const { name, data, opts } = jobOf(seal, { accessToken, place: { baseUrl, grant: "login", region } });
    await queue.add(name, data, opts);
    return Response.json({ success: true });
  };
}
