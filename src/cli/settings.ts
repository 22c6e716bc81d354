/** The environment and the flags as a checked configuration, and the access token of a command for one token. */

import { SessionError } from "../errors.ts";
import { type Config, checkOptions } from "../options.ts";
import type { Region } from "../record.ts";
import { codeOf, type Io } from "./output.ts";
import { problemOf } from "./token.ts";
import { countOf, type Flags, UsageError } from "./usage.ts";

/** The name of each option on the command line. */
export const names: Record<string, string> = {
  baseUrl: "BAANX_BASE_URL",
  clientKey: "BAANX_CLIENT_KEY",
  region: "The region",
};

const TOKEN_LIMIT = 65_536;

/** @throws UsageError */
export function configOf({ region, timeout }: Pick<Flags, "region" | "timeout">, { env }: Io): Config {
  for (const name of ["BAANX_BASE_URL", "BAANX_CLIENT_KEY"])
    if (!env[name]) throw new UsageError(`${name} is not set.`);
  return checked(() =>
    checkOptions({
      baseUrl: env["BAANX_BASE_URL"] ?? "",
      clientKey: env["BAANX_CLIENT_KEY"] ?? "",
      // Not one of these, it is refused there.
      region: (region ?? env["BAANX_REGION"] ?? "international") as Region,
      ...(timeout !== undefined && { timeout: countOf("timeout", timeout, 60_000) }),
    }),
  );
}

/** The access token of the environment, or else of standard input. @throws UsageError */
export async function accessTokenOf({ env, stdin }: Io): Promise<string> {
  const accessToken = env["BAANX_ACCESS_TOKEN"] || (await accessTokenFrom(stdin));
  const problem = problemOf(accessToken);
  if (problem) throw new UsageError(`The access token ${problem}.`);
  return accessToken;
}

async function accessTokenFrom(stdin: Io["stdin"]): Promise<string> {
  if (stdin.isTTY) throw new UsageError("BAANX_ACCESS_TOKEN is not set, and standard input is a terminal.");
  const accessToken = (await readInput(stdin)).replace(/\r?\n$/, "");
  if (!accessToken) throw new UsageError("BAANX_ACCESS_TOKEN is not set, and standard input is empty.");
  if (accessToken.includes("\n"))
    throw new UsageError("Standard input has more than one line; for a list, there is --stdin.");
  return accessToken;
}

async function readInput(stdin: Io["stdin"]): Promise<string> {
  let text = "";
  try {
    for await (const chunk of stdin.setEncoding("utf8")) {
      text += chunk;
      if (text.length > TOKEN_LIMIT) break;
    }
  } catch (error) {
    throw new UsageError(`Standard input cannot be read (${codeOf(error)}).`);
  }
  if (text.length > TOKEN_LIMIT) throw new UsageError("Standard input is too long for one access token.");
  return text;
}

/** Translates the error of an option: its name, and no advice that the command line cannot follow. */
function checked<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    const [, option = "", must] =
      /^invalid-option: (\w+) (must be .*?)(, or for development with .*)? \(docs/.exec(
        error instanceof SessionError ? error.message : "",
      ) ?? [];
    const name = names[option];
    throw name ? new UsageError(`${name} ${must}.`) : error;
  }
}
