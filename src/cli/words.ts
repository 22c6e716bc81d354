/** Output: results on stdout, words on stderr, colour on a terminal only. What is said is up to the commands. */
import type { WriteStream } from "node:tty";
import { styleText } from "node:util";

export type Colour = "green" | "yellow" | "red";

/** In colour where there is a terminal that shows it; `hasColors` honours NO_COLOR. */
export function coloured(text: string, colour: Colour, stream: WriteStream): string {
  return stream.isTTY && stream.hasColors() ? styleText(colour, text) : text;
}

/** A line of words for a person. */
export function say(line: string, colour?: Colour): void {
  const text = printable(line);
  process.stderr.write(`${colour ? coloured(text, colour, process.stderr) : text}\n`);
}

/** Without what would steer a terminal: some of it comes from a server, or from a list. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, " ");
}

/** A line of result. Resolves to whether it could be written. */
export function print(line: string): Promise<boolean> {
  return new Promise((resolve) => process.stdout.write(`${line}\n`, (error) => resolve(!error)));
}
