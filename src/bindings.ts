/**
 * The typed client of the API: openapi-fetch over the paths that are generated from the specification, with a reading of
 * JSON that never throws. It knows no session; `requests.ts` puts its own fetch beneath the same client.
 */
import createClient, { type Client, type ClientOptions } from "openapi-fetch";
import { SessionError } from "./errors.ts";
import type { paths } from "./generated/schema.ts";
import { type BindingsOptions, checkOptions } from "./options.ts";
import { createTransport } from "./transport.ts";

interface Result {
  data?: unknown;
  error?: unknown;
  response: Response;
}
type Call = (...given: unknown[]) => Promise<Result>;

/**
 * The typed client over any fetch-shaped function.
 *
 * @param more - further options of openapi-fetch
 */
export function bindingsOver<Paths extends object>(
  baseUrl: string,
  fetch: (request: Request) => Promise<Response>,
  more?: ClientOptions,
): Client<Paths> {
  const client = createClient<Paths>({ ...more, baseUrl, fetch });
  const { use, eject, ...calls } = client;
  const reading = Object.entries(calls).map(([name, call]) => [
    name,
    // `request` takes the method first.
    readingJson(call as Call, name === "request" ? 2 : 1),
  ]);
  return Object.assign(client, Object.fromEntries(reading));
}

/**
 * Lets a call read JSON itself. openapi-fetch would reject with a `SyntaxError` that quotes the body, possibly a token.
 *
 * @param at - the index of the options among the arguments of the call
 */
const readingJson =
  (call: Call, at: number): Call =>
  async (...given) => {
    const options: { parseAs?: string } = Object(given[at]);
    if ((options.parseAs ?? "json") !== "json") return call(...given);
    const result = await call(...given.slice(0, at), { ...options, parseAs: "stream" });
    const { response } = result;
    if (!response.ok) return result;
    const text = await response.text();
    try {
      return { data: text ? JSON.parse(text) : undefined, response };
    } catch {
      const problem = "the body is not JSON: check that baseUrl is the API, and that no proxy answers for it";
      const { status } = response;
      return { error: new SessionError("unexpected-response", problem, { status }), response };
    }
  };

/**
 * The bare typed client, for a login or a script. It adds `x-client-key` and the region to each
 * call, to the configured origin only, and follows no redirect; a call that needs an access token
 * is given `headers: { Authorization: "Bearer …" }`.
 *
 * Test `response.ok`, not `error`: an error with an empty body leaves `error` undefined. If a body of a success is not
 * JSON, `data` is undefined, and `error` is a {@link SessionError} `unexpected-response` that quotes nothing.
 *
 * @typeParam Paths - the `paths` of another specification, generated with `codegen`
 * @throws SessionError `invalid-option`; its calls reject with `wrong-origin` when a `baseUrl` of
 * their own leads elsewhere, and as `fetch` does
 */
export function createBindings<Paths extends object = paths>(options: BindingsOptions): Client<Paths> {
  const config = checkOptions(options);
  const transport = createTransport(config);
  return bindingsOver<Paths>(config.baseUrl, (request) => transport(request, {}, undefined, config.region));
}
