/**
 * Reads the target of a run from the environment: address, client key, test user and OAuth access tokens. The sandbox
 * provides its own under the same names.
 */

import { redact as redactSecrets } from "../src/cli/pact-replay.ts";
import { createSandboxApp, type SandboxApp } from "../src/sandbox/sandbox.ts";
import { startServer } from "../src/sandbox/server.ts";
import { UsageError } from "./command.ts";

export interface Target {
  /** Without a trailing slash. */
  baseUrl: string;
  clientKey: string | undefined;
  email: string | undefined;
  password: string | undefined;
  /** A user of the US back end, which has separate accounts. */
  usUser: { email: string | undefined; password: string | undefined };
  /** The access tokens of each OAuth authorization that a run may use up. */
  authorizations: string[][];
  /** Mints another authorization, if possible. Each contract of a broker uses some up. */
  authorize?: () => string;
  /** True for the sandbox, where every state is reachable and every request allowed. */
  isSandbox: boolean;
  fetch: typeof globalThis.fetch;
  /** Must appear in no output. */
  secrets: string[];
}

export type Environment = Record<string, string | undefined>;

/** @param hostname - as in a URL */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Checks that requests cannot be read in transit: https, or http on loopback. */
export const isPrivate = ({ protocol, hostname }: URL): boolean =>
  protocol === "https:" || (protocol === "http:" && isLoopback(hostname));

/** @param hostname - as in a URL */
export const isProduction = (hostname: string): boolean => /^api\.baanx\.com\.?$/.test(hostname);

/**
 * Reads a target from the environment.
 *
 * @throws UsageError if the address is missing, invalid or not allowed
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
    // Pipelines set a missing secret to the empty string, which is treated as unset.
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
  // A run revokes authorizations. The documentation does not say whether other users' are revoked as well.
  if (isProduction(hostname) && !allowProduction)
    throw new UsageError(
      "This is the production API: a run ends sessions and authorizations there. Give --allow-production if you mean it.",
    );
  return href.replace(/\/+$/, "");
}

/**
 * Returns the sandbox as a target, with its credentials passed like any other's: two authorizations of its user, the
 * first with two access tokens, and between them one of another user.
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

/** Opens the target of a command: the given address, or a new sandbox. */
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

/** The name of the target in a report. For the sandbox it includes the limits of the proof. */
export function describeTarget({ baseUrl, isSandbox }: Target): string {
  return isSandbox ? "the sandbox: this does not prove Baanx" : baseUrl;
}

/** Removes every secret from a text. */
export const redact = (text: string, { secrets }: { secrets: readonly string[] }): string =>
  redactSecrets(text, secrets);
