/**
 * Which provider a run is about, and what is known of it: its address, a client key, a test user and OAuth
 * access tokens, from the environment. The sandbox hands its own in by the same names.
 */

import { redact as redactSecrets } from "../src/cli/pact-replay.ts";
import { createSandboxApp, type SandboxApp } from "../src/sandbox/sandbox.ts";
import { startServer } from "../src/sandbox/server.ts";
import { UsageError } from "./command.ts";

export interface Target {
  /** Without a slash at its end. */
  baseUrl: string;
  clientKey: string | undefined;
  email: string | undefined;
  password: string | undefined;
  /** A user of the US back end, where accounts are others. */
  usUser: { email: string | undefined; password: string | undefined };
  /** The access tokens of each OAuth authorization that may be used up. */
  authorizations: string[][];
  /** Mints another authorization, where that is possible: each contract of a broker uses some up. */
  authorize?: () => string;
  /** Whether this is the sandbox, where every state can be reached and nobody objects. */
  isSandbox: boolean;
  fetch: typeof globalThis.fetch;
  /** Must appear in no output. */
  secrets: string[];
}

export type Environment = Record<string, string | undefined>;

/** @param hostname - as a URL has it */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Whether what is sent to an address can be read by nobody on the way: https, or http on loopback. */
export const isPrivate = ({ protocol, hostname }: URL): boolean =>
  protocol === "https:" || (protocol === "http:" && isLoopback(hostname));

/** @param hostname - as a URL has it */
export const isProduction = (hostname: string): boolean => /^api\.baanx\.com\.?$/.test(hostname);

/**
 * Reads a target from the environment.
 *
 * @throws UsageError when there is no such address, or it is one that may not be used
 */
export function targetFrom(environment: Environment, address: string, allowProduction: boolean): Target {
  const { BAANX_CLIENT_KEY, BAANX_TEST_EMAIL, BAANX_TEST_PASSWORD, BAANX_TEST_OAUTH_TOKENS } = environment;
  const { BAANX_TEST_US_EMAIL, BAANX_TEST_US_PASSWORD } = environment;
  const authorizations = (BAANX_TEST_OAUTH_TOKENS ?? "")
    .split(",")
    .map((entry) => entry.split("+").map((token) => token.trim()))
    .map((tokens) => tokens.filter((token) => token !== ""))
    .filter((tokens) => tokens.length > 0);
  const users = [BAANX_TEST_EMAIL, BAANX_TEST_PASSWORD, BAANX_TEST_US_EMAIL, BAANX_TEST_US_PASSWORD];
  const given = [BAANX_CLIENT_KEY, ...users, ...authorizations.flat()];
  return {
    baseUrl: checkedAddress(address, allowProduction),
    // A variable that is set to nothing, as pipelines do for a secret they do not have, is not set.
    clientKey: BAANX_CLIENT_KEY || undefined,
    email: BAANX_TEST_EMAIL || undefined,
    password: BAANX_TEST_PASSWORD || undefined,
    usUser: { email: BAANX_TEST_US_EMAIL || undefined, password: BAANX_TEST_US_PASSWORD || undefined },
    authorizations,
    isSandbox: false,
    fetch: (input, init) => fetch(input, init),
    secrets: given.flatMap((secret) => secret || []),
  };
}

const ADDRESS = "The address of the provider (PROVIDER_BASE_URL, --base-url or --server)";

function checkedAddress(address: string, allowProduction: boolean): string {
  if (!URL.canParse(address))
    throw new UsageError(`${ADDRESS} must be a URL, such as https://dev.api.baanx.com.`);
  const url = new URL(address);
  const { hostname, username, search, hash, href } = url;
  if (username || search || hash)
    throw new UsageError(
      `${ADDRESS} must be a host, a port and a path: leave out credentials, query and fragment.`,
    );
  if (!isPrivate(url))
    throw new UsageError(`${ADDRESS} must begin with https://, or with http:// on loopback.`);
  // A run revokes authorizations, and whose besides the test user's is not documented.
  if (isProduction(hostname) && !allowProduction)
    throw new UsageError(
      "This is the production API: a run ends sessions and authorizations there. Give --allow-production if you mean it.",
    );
  return href.replace(/\/+$/, "");
}

/**
 * The sandbox as a target, its credentials handed in as any other's: two authorizations of its
 * user, the first with two access tokens, and between them one of another user.
 */
export function sandboxTarget(provider: SandboxApp, address: string): Target {
  const { user } = provider;
  const first = provider.authorize();
  const other = provider.authorize(provider.addUser().id);
  const last = provider.authorize();
  const tokens = [
    `${first.accessToken}+${provider.addAccessToken(first.id)}`,
    other.accessToken,
    last.accessToken,
  ];
  const environment = {
    BAANX_CLIENT_KEY: provider.clientKey,
    BAANX_TEST_EMAIL: user.email,
    BAANX_TEST_PASSWORD: user.password,
    BAANX_TEST_US_EMAIL: user.email,
    BAANX_TEST_US_PASSWORD: user.password,
    BAANX_TEST_OAUTH_TOKENS: tokens.join(","),
  };
  const target = targetFrom(environment, address, false);
  return { ...target, isSandbox: true, authorize: () => provider.authorize().accessToken };
}

/** The target that a command is about: the address it was given, or a sandbox of its own. */
export async function openTarget(
  environment: Environment,
  address: string | undefined,
  allowProduction: boolean,
): Promise<{ target: Target; close: () => Promise<void> }> {
  if (address) return { target: targetFrom(environment, address, allowProduction), close: async () => {} };
  const provider = createSandboxApp();
  const server = await startServer(provider);
  return { target: sandboxTarget(provider, server.url), close: server.close };
}

/** What a report calls the target: the sandbox says of itself what it proves. */
export function nameOf({ baseUrl, isSandbox }: Target): string {
  return isSandbox ? "the sandbox: this does not prove Baanx" : baseUrl;
}

/** The text with every secret left out. */
export const redact = (text: string, { secrets }: { secrets: readonly string[] }): string =>
  redactSecrets(text, secrets);
