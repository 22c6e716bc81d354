/**
 * Which Pact Broker the commands are about, and with what credentials: from the environment and nowhere else.
 * It keeps the credentials out of everything that is shown.
 */
import { UsageError } from "../command.ts";
import { type Environment, isLoopback, isPrivate } from "../target.ts";

export interface Settings {
  /** Without a slash at its end. */
  baseUrl: string;
  /** Of the header `Authorization`, when there are credentials. */
  authorization: string | undefined;
  /** For Pact's command line: the same, by its names. */
  variables: Record<string, string>;
  isLoopback: boolean;
  /** Must appear in no output. */
  secrets: string[];
}

export const settingsHelp = `The broker is told by the environment, never by flags:

  PACT_BROKER_BASE_URL                          its address: https, or http on loopback
  PACT_BROKER_TOKEN                             a bearer token, or
  PACT_BROKER_USERNAME, PACT_BROKER_PASSWORD    a user of it
`;

/** @throws UsageError when something is missing, or is no address; it never quotes what was given */
export function settingsFrom(environment: Environment): Settings {
  const {
    PACT_BROKER_BASE_URL: address,
    PACT_BROKER_TOKEN: token,
    PACT_BROKER_USERNAME: username,
    PACT_BROKER_PASSWORD: password,
  } = environment;
  if (!address)
    throw new UsageError(
      "PACT_BROKER_BASE_URL is not set: it is the address of the broker; `npm run broker` starts one.",
    );
  if (!URL.canParse(address))
    throw new UsageError("PACT_BROKER_BASE_URL must be a URL, such as https://broker.example.");
  const url = new URL(address);
  const { hostname, href, username: user, password: pass, search, hash } = url;
  if (user || pass || search || hash)
    throw new UsageError(
      "PACT_BROKER_BASE_URL must be a host, a port and a path: leave out credentials, query and fragment.",
    );
  if (!isPrivate(url))
    throw new UsageError("PACT_BROKER_BASE_URL must begin with https://, or with http:// on loopback.");
  if (token && (username || password))
    throw new UsageError(
      "Set PACT_BROKER_TOKEN, or PACT_BROKER_USERNAME and PACT_BROKER_PASSWORD, not both.",
    );
  if (!username !== !password)
    throw new UsageError("Set both PACT_BROKER_USERNAME and PACT_BROKER_PASSWORD, or neither.");

  const basic = username && password ? Buffer.from(`${username}:${password}`).toString("base64") : undefined;
  const baseUrl = href.replace(/\/+$/, "");
  return {
    baseUrl,
    isLoopback: isLoopback(hostname),
    authorization: token ? `Bearer ${token}` : basic && `Basic ${basic}`,
    variables: {
      PACT_BROKER_BASE_URL: baseUrl,
      ...(token ? { PACT_BROKER_TOKEN: token } : {}),
      ...(username && password ? { PACT_BROKER_USERNAME: username, PACT_BROKER_PASSWORD: password } : {}),
    },
    secrets: [token, password, basic].flatMap((secret) => secret || []),
  };
}
