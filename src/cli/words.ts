/** Output: results on stdout, words on stderr, colour on a terminal only. What is said is up to the commands. */
import type { WriteStream } from "node:tty";

/** By SGR. `styleText` asks stdout, whichever stream is meant, in some versions of Node and not in others. */
const codes = { red: 31, green: 32, yellow: 33 };

export type Colour = keyof typeof codes;

/** In colour where there is a terminal that shows it; `hasColors` honours NO_COLOR. */
export function coloured(text: string, colour: Colour, stream: WriteStream): string {
  return stream.isTTY && stream.hasColors() ? `\x1b[${codes[colour]}m${text}\x1b[39m` : text;
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

/** What the system calls an error, such as ENOENT. Its message may quote what was read. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "unknown";
}
