/**
 * Reads the address and credentials of the Pact Broker, from the environment only, and keeps the credentials out of
 * all output.
 */
import { UsageError } from "../command.ts";
import { type Environment, isLoopback, isPrivate } from "../target.ts";

export interface Settings {
  /** Without a trailing slash. */
  baseUrl: string;
  /** The variables of Pact's command line. */
  variables: Record<string, string>;
  hasCredentials: boolean;
  isLoopback: boolean;
  /** Must appear in no output. */
  secrets: string[];
}

export const settingsHelp = `The broker is told by the environment, never by flags:

  PACT_BROKER_BASE_URL                          its address: https, or http on loopback
  PACT_BROKER_TOKEN                             a bearer token, or
  PACT_BROKER_USERNAME, PACT_BROKER_PASSWORD    a user of it
  PACT_BROKER_ALLOW_HTTP=true                   allows http to any host, such as
                                                http://pact-broker:9292 inside a CI network
  SSL_CERT_FILE, HTTPS_PROXY, NO_PROXY          as docs/broker.md says
`;

/** @throws UsageError if a setting is missing or not an address; the message never quotes a value */
export function settingsFrom(environment: Environment): Settings {
  const {
    PACT_BROKER_BASE_URL: address,
    PACT_BROKER_TOKEN: token,
    PACT_BROKER_USERNAME: username,
    PACT_BROKER_PASSWORD: password,
    PACT_BROKER_ALLOW_HTTP: allowsHttp,
  } = environment;
  if (!address)
    throw new UsageError(
      "PACT_BROKER_BASE_URL is not set: it is the address of the broker; `npm run broker` starts one.",
    );
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !/^https?:$/.test(url.protocol))
    throw new UsageError("PACT_BROKER_BASE_URL must be a URL, such as https://broker.example.");
  const { hostname, href, username: user, password: pass, search, hash } = url;
  if (user || pass || search || hash)
    throw new UsageError(
      "PACT_BROKER_BASE_URL must be a host, a port and a path: leave out credentials, query and fragment.",
    );
  if (!isPrivate(url) && allowsHttp !== "true")
    throw new UsageError(
      "PACT_BROKER_BASE_URL must begin with https://, or with http:// on loopback; PACT_BROKER_ALLOW_HTTP=true allows http inside a network that you trust.",
    );
  if (token && (username || password))
    throw new UsageError(
      "Set PACT_BROKER_TOKEN, or PACT_BROKER_USERNAME and PACT_BROKER_PASSWORD, not both.",
    );
  if (!username !== !password)
    throw new UsageError("Set both PACT_BROKER_USERNAME and PACT_BROKER_PASSWORD, or neither.");

  const baseUrl = href.replace(/\/+$/, "");
  const basic = username && password ? Buffer.from(`${username}:${password}`).toString("base64") : undefined;
  return {
    baseUrl,
    isLoopback: isLoopback(hostname),
    hasCredentials: Boolean(token || username),
    variables: {
      PACT_BROKER_BASE_URL: baseUrl,
      ...(token ? { PACT_BROKER_TOKEN: token } : {}),
      ...(username && password ? { PACT_BROKER_USERNAME: username, PACT_BROKER_PASSWORD: password } : {}),
    },
    secrets: [token, password, basic].flatMap((secret) => secret || []),
  };
}
