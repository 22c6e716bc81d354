/** The lines of a stream, read no faster than they are asked for. A line that is too long is counted and not kept. */
import type { Readable } from "node:stream";

export interface Line {
  /** Counted from 1, empty lines included. */
  number: number;
  /** Missing if the line is too long. */
  text?: string;
  /** The length in the stream, with the newline. */
  bytes: number;
}

const LINE_LIMIT = 65_536;

export async function* linesOf(input: Readable): AsyncGenerator<Line, void, void> {
  // Drops a byte order mark; bytes that are not UTF-8 become a character that no token has.
  const decoder = new TextDecoder();
  let number = 0;
  let text: string | undefined = "";
  let bytes = 0;
  function line(): Line {
    const done = { number: ++number, bytes: bytes + 1, ...(text !== undefined && { text }) };
    text = "";
    bytes = 0;
    return done;
  }

  for await (const chunk of input) {
    for (const [index, part] of decoder.decode(chunk, { stream: true }).split("\n").entries()) {
      if (index > 0) yield line();
      bytes += Buffer.byteLength(part);
      text = text === undefined || text.length + part.length > LINE_LIMIT ? undefined : text + part;
    }
  }
  if (text !== "") yield line();
}
