/** Finds the command that was meant, runs it and turns what is thrown into words and an exit code. */

import { helpOf, mainHelp } from "./help.ts";
import { endList } from "./list/run.ts";
import { runSandbox } from "./sandbox.ts";
import { endToken, probeToken } from "./single.ts";
import { type Invocation, invocationOf, UsageError } from "./usage.ts";
import { say } from "./words.ts";

/** @returns the exit code */
export async function main(args: string[], version: () => string): Promise<number> {
  // Whoever reads the output may leave early, as `head` does; who writes is told by its callback.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  try {
    return await run(invocationOf(args), version);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    say(`${error.message} See --help.`, "red");
    return 2;
  }
}

async function run({ command, flags }: Invocation, version: () => string): Promise<number> {
  if (flags.help) process.stdout.write(command ? helpOf(command) : mainHelp);
  else if (!command) process.stdout.write(`${version()}\n`);
  else if (command === "sandbox") return runSandbox(flags.port);
  else if (command === "probe") return probeToken(flags);
  else return flags.stdin ? endList(command, flags) : endToken(command, flags);
  return 0;
}
