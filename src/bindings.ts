/**
 * The typed client of the API: openapi-fetch over the paths that are generated from the
 * specification. It knows no session; `session.ts` puts its own fetch beneath the same client.
 */
import createClient, { type Client } from "openapi-fetch";
import type { paths } from "./generated/schema.ts";
import { type BindingsOptions, checkOptions } from "./options.ts";
import { createTransport } from "./transport.ts";

/** The typed client over any fetch-shaped function. */
export function bindingsOver<Paths extends object>(
  baseUrl: string,
  fetch: (request: Request) => Promise<Response>,
): Client<Paths> {
  return createClient<Paths>({ baseUrl, fetch });
}

/**
 * The bare typed client, for a login or a script. It adds `x-client-key` and the region to each
 * call, to the configured origin only, and follows no redirect; a call that needs an access token
 * is given `headers: { Authorization: "Bearer …" }`.
 *
 * Test `response.ok`, not `error`: an error with an empty body leaves `error` undefined.
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
