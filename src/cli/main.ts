/** Finds the command that was meant, runs it and turns what is thrown into words and an exit code. */

import { runCodegen } from "./codegen.ts";
import { helpOf, mainHelp } from "./help.ts";
import { endList } from "./list/run.ts";
import { runSandbox } from "./sandbox.ts";
import { endToken, probeToken } from "./single.ts";
import { type Invocation, invocationOf, NoCommand, UsageError } from "./usage.ts";
import { runVerify } from "./verify.ts";
import { say } from "./words.ts";

/** What the command knows of its own package. */
export interface Package {
  version: string;
  /** Where its specification is. */
  specification: string;
  /** Where its contract is. */
  pact: string;
  /** Where its documentation is. */
  readme: string;
}

/** @returns the exit code */
export async function main(args: string[], ownPackage: () => Package): Promise<number> {
  // Whoever reads the output may leave early, as `head` does; who writes is told by its callback.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  try {
    return await run(invocationOf(args), ownPackage);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    if (error instanceof NoCommand) process.stderr.write(`${error.message}\n\n${mainHelp(ownPackage())}`);
    else say(`${error.message} See --help.`, "red");
    return 2;
  }
}

async function run(invocation: Invocation, ownPackage: () => Package): Promise<number> {
  const { command, file, flags, generatorOptions } = invocation;
  if (flags.help) process.stdout.write(command ? helpOf(command, ownPackage()) : mainHelp(ownPackage()));
  else if (!command) process.stdout.write(`${ownPackage().version}\n`);
  else if (command === "sandbox") return runSandbox(flags.port);
  else if (command === "codegen")
    return runCodegen({
      ...{ ...flags, specification: file, generatorOptions },
      ownSpecification: ownPackage().specification,
    });
  else if (command === "verify") return runVerify({ ...flags, ownPact: ownPackage().pact });
  else if (command === "probe") return probeToken(flags);
  else return flags.stdin ? endList(command, flags) : endToken(command, flags);
  return 0;
}
