/**
 * The one function beneath every request: it adds the credentials, for the configured origin only, follows no redirect
 * and bounds an error body. Which credentials, and whether there is a session, is decided by the caller.
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

/**
 * The request object that openapi-fetch creates instead of a Request: fetch makes a Request of its own in any case, and
 * one costs as much as a tenth of a call.
 */
export class Call {
  readonly url: string;
  readonly method: string | undefined;
  readonly init: RequestInit;
  constructor(url: string, init: RequestInit) {
    this.url = url;
    this.method = init.method;
    this.init = init;
  }
}

const BODY_LIMIT = 65_536;

/** Found out once per process, at the first request. */
let isCacheSupported: boolean | undefined;

/** Returns whether a request may name a cache mode: React Native appends a parameter to the URL, older Workers throw. */
function supportsCache(): boolean {
  if (isCacheSupported === undefined)
    try {
      new Request("https://localhost", { cache: "no-store" });
      isCacheSupported = "cache" in Request.prototype;
    } catch {
      isCacheSupported = false;
    }
  return isCacheSupported;
}

export function createTransport({ origin, clientKey, fetch, debug }: Config): Transport {
  return async (input, init, accessToken, region) => {
    const isRequest = typeof input !== "string";
    const url = isRequest ? input.url : input;
    if (!url.startsWith(`${origin}/`))
      throw new SessionError("wrong-origin", `requests go to ${origin} only; use fetch for other servers`);
    // A copy: the caller keeps the request, and could send it elsewhere with these headers.
    const headers = new Headers(isRequest ? input.headers : init.headers);
    headers.set("x-client-key", clientKey);
    headers.delete("x-us-env");
    if (accessToken) headers.set("authorization", `Bearer ${accessToken}`);
    if (region === "us") headers.set("x-us-env", "true");
    // fetch() copies the request in any case, so an init costs no further copy. A redirect that is followed would
    // carry x-client-key to wherever it leads.
    const sent: RequestInit = { ...init, headers, redirect: "manual" };
    const cache = isRequest ? input.cache : init.cache;
    if (accessToken && (!cache || cache === "default") && supportsCache()) sent.cache = "no-store";
    const line = () =>
      `${(isRequest ? input.method : init.method) ?? "GET"} ${url.slice(origin.length).replace(/[?#].*/, "")}`;
    debug?.(`request ${line()}`);
    const response = await fetch(input, sent);
    debug?.(`answer ${response.status} to ${line()}`);
    return response.ok ? response : capped(response);
  };
}

/**
 * Returns whether a 401 is about the bearer token. A challenge of another scheme comes from a gateway (RFC 9110, section
 * 11.6.1).
 */
export function refusesToken({ status, headers }: Response): boolean {
  const challenge = headers.get("www-authenticate");
  return status === 401 && (!challenge || /(^|,)\s*bearer(\s|,|$)/i.test(challenge));
}

/** Returns the same response with at most 64 KiB of its body; unchanged if the runtime lacks body streams. */
async function capped(response: Response): Promise<Response> {
  const { body, headers, status, statusText, url } = response;
  // The constructor refuses statuses that fetch accepts: over 599, and the 0 of a redirect, which has a body in WebKit.
  if (!body?.getReader || status < 200 || status > 599) return response;
  const bounded = boundedStream(body) ?? (await readBody(response));
  const copy = new Response(bounded, { headers, status, statusText });
  return Object.defineProperty(copy, "url", { value: url });
}

/** Returns a stream of the first 64 KiB of a body; undefined in older Workers, which have streams but construct none. */
function boundedStream(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> | undefined {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  let next: ReturnType<typeof chunksOf> | undefined;
  try {
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        reader ??= body.getReader();
        next ??= chunksOf(reader);
        const chunk = await next();
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
      cancel: (reason) => (reader ?? body).cancel(reason),
    });
  } catch {
    return undefined;
  }
}

/** Returns a function that reads the next chunk: undefined at the end of the body, or after 64 KiB. */
function chunksOf(reader: ReadableStreamDefaultReader<Uint8Array>): () => Promise<Uint8Array | undefined> {
  let left = BODY_LIMIT;
  return async () => {
    const { done, value } = left > 0 ? await reader.read() : { done: true };
    if (done || !value) {
      reader.cancel().catch(() => {});
      return undefined;
    }
    const chunk = value.subarray(0, left);
    left -= value.length;
    return chunk;
  };
}

/** Returns the body of a response as a string: all of it, or 64 KiB if the runtime has body streams. */
export async function readBody(response: Response): Promise<string> {
  if (!response.body?.getReader) return (await response.text()).slice(0, BODY_LIMIT);
  const next = chunksOf(response.body.getReader());
  const decoder = new TextDecoder();
  let string = "";
  for (let chunk = await next(); chunk; chunk = await next())
    string += decoder.decode(chunk, { stream: true });
  return string + decoder.decode();
}
