/**
 * The lines of a stream, one at a time and no faster than they are asked for: beyond the stream's own buffer
 * nothing is read ahead, and a line that is too long is counted and not kept.
 */
import type { Readable } from "node:stream";

export interface Line {
  /** Counted from 1, empty lines included. */
  number: number;
  /** Missing when the line is too long. */
  text?: string;
  /** In the stream, with its end. */
  bytes: number;
}

const LINE_LIMIT = 65_536;

const NEWLINE = 0x0a;

export async function* linesOf(input: Readable): AsyncGenerator<Line, void, void> {
  // Drops a byte order mark; what is no UTF-8 becomes a character that no token has.
  const decoder = new TextDecoder();
  let number = 0;
  let parts: Uint8Array[] = [];
  let length = 0;

  function keep(part: Uint8Array): void {
    length += part.length;
    if (length > LINE_LIMIT) parts = [];
    // Copied: a part would hold the whole chunk that it is a view of.
    else if (part.length > 0) parts.push(new Uint8Array(part));
  }
  function take(): Line {
    number += 1;
    const text = length > LINE_LIMIT ? undefined : decoder.decode(Buffer.concat(parts));
    const bytes = length + 1;
    parts = [];
    length = 0;
    return { number, bytes, ...(text !== undefined && { text }) };
  }

  for await (const chunk of input) {
    const bytes: Uint8Array = chunk;
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      keep(bytes.subarray(start, end));
      start = end + 1;
      yield take();
    }
    keep(bytes.subarray(start));
  }
  if (length > 0) yield take();
}
