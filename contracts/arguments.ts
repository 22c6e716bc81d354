/** The arguments of a command, by node's own parser: what it refuses is a wrong usage, said in one sentence. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { firstLine } from "./message.ts";
import { UsageError } from "./target.ts";

export type Options = NonNullable<ParseArgsConfig["options"]>;
export type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>["values"];

/** @throws UsageError */
export function argumentsOf<O extends Options>(options: O): Values<O> {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new UsageError(`${firstLine(error).split(". ", 1)[0]}.`);
  }
}
