/**
 * The journal of a list: which tokens have ended, so that a run goes on where another one stopped. A line is the
 * SHA-256 of a token with where it was ended, and how; only final outcomes are in it, and no token. It is only
 * ever appended to, and a line that a crash has torn counts for nothing.
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import type { Endpoint, Region } from "../../record.ts";
import { createDigestMap, type DigestMap } from "./digests.ts";
import { linesOf } from "./lines.ts";

const HEADER = "baanx-session journal v1\n";
const LINE = /^([0-9a-f]{64}) (confirmed|already-invalid)$/;

/** How a token has ended. */
export type Ended = "confirmed" | "already-invalid";

export interface Journal {
  /** How this token had ended; undefined for one that is not known. */
  endOf(key: Uint8Array): Ended | undefined;
  /** Is on its way to the disk when this returns. @throws what the file system says */
  add(key: Uint8Array, server: Ended): void;
  close(): void;
  /** How many lines were not understood. */
  readonly unread: number;
}

export type KeyOf = (region: Region, accessToken: string) => Uint8Array;

/** The same token elsewhere, in another region or by the other endpoint is another thing to do. */
export function keysOf(baseUrl: string, endpoint: Endpoint): KeyOf {
  const where = new URL(baseUrl).href.replace(/\/+$/, "");
  return (region, accessToken) =>
    createHash("sha256")
      .update(JSON.stringify([where, endpoint, region, accessToken]))
      .digest();
}

/** Without a file: nothing is kept, and no token of this run is known twice. */
export const noJournal: Journal = { endOf: () => undefined, add() {}, close() {}, unread: 0 };

/** @throws Error when the file cannot be read and appended to, or is something else than a journal */
export async function openJournal(path: string): Promise<Journal> {
  const file = openSync(path, "a+", 0o600);
  const { size } = checkedHeader(file);
  const { done, unread } = await readFrom(path);
  // After a torn line, the next one begins on its own.
  if (size > 0 && lastByteOf(file, size) !== "\n") writeSync(file, "\n");
  return {
    endOf: endIn(done),
    add(key, server) {
      writeSync(file, `${Buffer.from(key).toString("hex")} ${server}\n`);
      done.add(key, server === "confirmed");
    },
    close() {
      fsyncSync(file);
      closeSync(file);
    },
    unread,
  };
}

/** The same for a run that sends nothing: it is read and left as it is, and there may be none. */
export async function readJournal(path: string): Promise<Journal> {
  if (!existsSync(path)) return noJournal;
  const file = openSync(path, "r");
  checkHeader(file);
  closeSync(file);
  const { done, unread } = await readFrom(path);
  return { ...noJournal, endOf: endIn(done), unread };
}

async function readFrom(path: string): Promise<{ done: DigestMap; unread: number }> {
  const done = createDigestMap();
  let unread = 0;
  for await (const { number, text = "" } of linesOf(createReadStream(path))) {
    const [, key, server] = LINE.exec(text) ?? [];
    if (key) done.add(Buffer.from(key, "hex"), server === "confirmed");
    else if (number > 1 && text !== "") unread += 1;
  }
  return { done, unread };
}

const endIn =
  (done: DigestMap) =>
  (key: Uint8Array): Ended | undefined => {
    const mark = done.markOf(key);
    return mark === undefined ? undefined : mark ? "confirmed" : "already-invalid";
  };

/** A list of tokens given by mistake must stay as it is, so the first line has to be a journal's. */
function checkHeader(file: number): { length: number } {
  if (!fstatSync(file).isFile()) throw new Error("it is no regular file");
  const begin = Buffer.alloc(HEADER.length);
  const length = readSync(file, begin, 0, HEADER.length, 0);
  const text = begin.toString("latin1", 0, length);
  if (!HEADER.startsWith(text)) throw new Error("it is something else than a journal");
  return { length };
}

/** Completes that of a new file, or of one whose first write was torn. */
function checkedHeader(file: number): { size: number } {
  const { length } = checkHeader(file);
  if (length < HEADER.length) writeSync(file, HEADER.slice(length));
  return fstatSync(file);
}

function lastByteOf(file: number, size: number): string {
  const last = Buffer.alloc(1);
  readSync(file, last, 0, 1, size - 1);
  return last.toString("latin1");
}
