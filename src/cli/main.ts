/** Finds the command, runs it, and turns an error of usage into a message and an exit code. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runCodegen } from "./codegen.ts";
import { completion } from "./completion.ts";
import { helpOf, mainHelp } from "./help.ts";
import { endList } from "./list/run.ts";
import { type Io, say } from "./output.ts";
import { runSandbox } from "./sandbox.ts";
import { endToken, probeToken } from "./single.ts";
import { type Invocation, invocationOf, NoCommand, UsageError } from "./usage.ts";
import { runVerify } from "./verify.ts";

/** @returns the exit code */
export async function main(args: string[], io: Io): Promise<number> {
  try {
    const invocation = invocationOf(args);
    return await run(invocation, { ...io, isQuiet: invocation.flags.quiet });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    if (error instanceof NoCommand) io.stderr.write(`${error.message}\n\n${mainHelp(io)}`);
    else say(io, `${error.message} See --help.`, "red");
    return 2;
  }
}

async function run(invocation: Invocation, io: Io): Promise<number> {
  const { command, argument, flags, generatorOptions } = invocation;
  const pathOf = (file: string) => fileURLToPath(new URL(file, io.root));
  if (flags.help) io.stdout.write(command ? helpOf(command, io) : mainHelp(io));
  else if (!command) io.stdout.write(`${JSON.parse(readFileSync(pathOf("package.json"), "utf8")).version}\n`);
  else if (command === "completion") io.stdout.write(completion(argument));
  else if (command === "sandbox") return runSandbox(flags, io);
  else if (command === "codegen")
    return runCodegen(
      {
        ...{ ...flags, specification: argument, generatorOptions },
        ownSpecification: pathOf("openapi/baanx-auth.openapi.yaml"),
      },
      io,
    );
  else if (command === "verify")
    return runVerify({ ...flags, ownPact: pathOf("contracts/pacts/baanx-session-baanx-auth-api.json") }, io);
  else if (command === "probe") return probeToken(flags, io);
  else return flags.stdin ? endList(command, invocation, io) : endToken(command, flags, io);
  return 0;
}
