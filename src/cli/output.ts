/** Output: results on stdout, messages on stderr, colour on a terminal only. The content is up to the commands. */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import type { Readable, Writable } from "node:stream";

/** An output of a process, or of a test. */
export type Output = Writable & { fd?: number; isTTY?: boolean; hasColors?: () => boolean };

/** The surroundings of a command. */
export interface Io {
  env: Readonly<Record<string, string | undefined>>;
  stdin: Readable & { fd?: number; isTTY?: boolean };
  stdout: Output;
  stderr: Output;
  /** The folder of the package. */
  root: URL;
  /** Begins to listen: the signal is aborted by the first SIGINT or SIGTERM, with its name as the reason. */
  signals(): AbortSignal;
  /** With `--quiet`: prints results and errors only. */
  isQuiet?: boolean;
}

/** SGR codes. `styleText` asks stdout, whichever stream is meant, in some versions of Node and not in others. */
const codes = { red: 31, green: 32, yellow: 33 };

export type Colour = keyof typeof codes;

/** Returns a string in colour for a terminal that shows it; `hasColors` honours NO_COLOR. */
export function coloured(text: string, colour: Colour, { isTTY, hasColors }: Output): string {
  return isTTY && hasColors?.() ? `\x1b[${codes[colour]}m${text}\x1b[39m` : text;
}

/** Escapes control characters, separators and bidi controls: strings of a server or a list must not steer a terminal. */
export function escaped(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The same for a text of several lines. */
export const escapedLines = (text: string): string => text.split("\n").map(escaped).join("\n");

/** Quotes a word for a shell. */
export const shellQuoted = (word: string): string =>
  /^[\w./=@:+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** Prints a message for a person. With `--quiet`, errors only: the red ones. */
export function say({ stderr, isQuiet }: Io, line: string, colour?: Colour): void {
  if (isQuiet && colour !== "red") return;
  const text = escaped(line);
  stderr.write(`${colour ? coloured(text, colour, stderr) : text}\n`);
}

/** Prints a line of result. Resolves to the code of the failure, such as EPIPE. */
export async function print({ stdout }: Io, line: string): Promise<string | undefined> {
  try {
    // Node ignores a short write to a file.
    if (isFile(stdout)) writeLine(stdout.fd, line);
    else
      await new Promise<void>((resolve, reject) =>
        stdout.write(`${line}\n`, (error) => (error ? reject(error) : resolve())),
      );
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

/** If earlier results end within a line, as after a crash, ends that line. Returns whether it did. */
export function endTornResults({ stdout }: Io): boolean {
  // Opened again, since a redirection is for writing only.
  if (!isFile(stdout) || !isTorn(`/dev/fd/${stdout.fd}`)) return false;
  writeSync(stdout.fd, "\n");
  return true;
}

const isFile = (stream: Output): stream is Output & { fd: number } =>
  stream.fd !== undefined && fstatSync(stream.fd).isFile();

/** Returns whether a file ends within a line; false if it cannot be read. */
export function isTorn(path: string): boolean {
  try {
    const file = openSync(path, "r");
    const { size } = fstatSync(file);
    const last = Buffer.from("\n");
    if (size > 0) readSync(file, last, 0, 1, size - 1);
    closeSync(file);
    return last.toString() !== "\n";
  } catch {
    return false;
  }
}

/** Writes a whole line to a file or, if the disk is full, none of it. @throws the error of the file system */
export function writeLine(file: number, line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  const { size } = fstatSync(file);
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(file, bytes, written);
  } catch (error) {
    // Unless another process has written in the meantime.
    if (written > 0 && fstatSync(file).size === size + written) ftruncateSync(file, size);
    throw error;
  }
}

/** Returns the system's code of an error, such as ENOENT. Its message may quote the input. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "unknown";
}

/** Returns whether a process of this machine runs. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It belongs to another user.
    return codeOf(error) === "EPERM";
  }
}
