/**
 * The frame of each command for a broker: reads its arguments and the environment, says a failure in one line and
 * turns it into an exit code. What a command does is its own.
 */
import { argumentsOf, type Options, type Values } from "../arguments.ts";
import { firstLine } from "../message.ts";
import { UsageError } from "../target.ts";
import { BrokerError } from "./http.ts";
import { type Settings, settingsFrom } from "./settings.ts";

/** The broker was asked and the answer is no, or there is nothing to ask it; the message is for a person. */
export class Refusal extends Error {}

export const settingsHelp = `The broker is told by the environment, never by flags:

  PACT_BROKER_BASE_URL                          its address: https, or http on loopback
  PACT_BROKER_TOKEN                             a bearer token, or
  PACT_BROKER_USERNAME, PACT_BROKER_PASSWORD    a user of it
`;

export interface Command<O extends Options> {
  name: string;
  help: string;
  options: O;
  run(values: Values<O>, settings: Settings): Promise<void>;
}

/** Resolves to the exit code: 0 done, 1 refused or unreachable, 2 wrong usage. */
export async function runCommand<O extends Options>({
  name,
  help,
  options,
  run,
}: Command<O>): Promise<number> {
  try {
    if (process.argv.includes("--help")) {
      process.stdout.write(help);
      return 0;
    }
    const values = argumentsOf(options);
    await run(values, settingsFrom(process.env));
    return 0;
  } catch (error) {
    if (error instanceof UsageError) return fail(name, `${firstLine(error)} See --help.`, 2);
    if (error instanceof Refusal || error instanceof BrokerError) return fail(name, firstLine(error), 1);
    throw error;
  }
}

function fail(name: string, line: string, exitCode: number): number {
  process.stderr.write(`${name}: ${line}\n`);
  return exitCode;
}
