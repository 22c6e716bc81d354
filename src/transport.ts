/**
 * The one fetch-shaped function beneath everything: it adds the credentials, for the configured origin only, follows
 * no redirect and bounds an error body. Whose credentials, and whether there is a session at all, is the caller's
 * business.
 */
import { SessionError } from "./errors.ts";
import type { Config } from "./options.ts";
import type { Region } from "./record.ts";

/**
 * Sends one request, or throws `wrong-origin` before anything is sent. Without an access token the request keeps the
 * `Authorization` it has.
 */
export type Transport = (
  input: Request | string,
  init: RequestInit,
  accessToken: string | undefined,
  region: Region,
) => Promise<Response>;

const BODY_LIMIT = 65_536;

export function createTransport({ origin, clientKey, fetch }: Config): Transport {
  return async (input, init, accessToken, region) => {
    const isRequest = typeof input !== "string";
    if (!(isRequest ? input.url : input).startsWith(`${origin}/`))
      throw new SessionError("wrong-origin", `requests go to ${origin} only`);
    // A copy: the caller keeps the request, and could send it elsewhere with what is set here.
    const headers = new Headers(isRequest ? input.headers : init.headers);
    headers.set("x-client-key", clientKey);
    headers.delete("x-us-env");
    if (accessToken) headers.set("authorization", `Bearer ${accessToken}`);
    if (region === "us") headers.set("x-us-env", "true");
    // fetch() copies the request in any case, so an init costs no further copy. A redirect that is followed would
    // carry x-client-key to wherever it leads.
    const response = await fetch(input, { ...init, headers, redirect: "manual" });
    return response.ok ? response : capped(response);
  };
}

/** The same response, read to its end or to 64 KiB of it. Where the runtime has no body streams it is as it was. */
async function capped(response: Response): Promise<Response> {
  const { body, headers, status, statusText, url } = response;
  // The constructor refuses what fetch lets pass: over 599, and the 0 of a redirect, which has a body in WebKit.
  if (!body?.getReader || status < 200 || status > 599) return response;
  const copy = new Response(await bytesOf(body), { headers, status, statusText });
  return Object.defineProperty(copy, "url", { value: url });
}

/** The text of a response, to its end or to 64 KiB of it where the runtime has body streams. */
export const textOf = async (response: Response): Promise<string> =>
  response.body?.getReader
    ? new TextDecoder().decode(await bytesOf(response.body))
    : (await response.text()).slice(0, BODY_LIMIT);

async function bytesOf(body: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  const parts: Uint8Array[] = [];
  for (let left = BODY_LIMIT; left > 0; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value.subarray(0, left));
    left -= value.length;
  }
  void reader.cancel();
  return new Uint8Array(parts.flatMap((part) => [...part]));
}
