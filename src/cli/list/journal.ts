/**
 * The journal of a list: the ended tokens, so that a run continues an earlier one. A line is the SHA-256 of a token with
 * its address, and its final outcome. Lines are only appended; a line that a crash has torn is ignored.
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import type { Endpoint, Region } from "../../record.ts";
import { codeOf, isAlive, isTorn, writeLine } from "../output.ts";
import { linesOf } from "./lines.ts";

const HEADER = "baanx-session journal v1\n";
const LINE = /^([0-9a-f]{64}) (confirmed|already-invalid|proven)$/;

/** A living run touches its lock more often than this, in ms. */
const LOCK_LIFETIME = 60_000;

/** How a token has ended, or that an environment is proven: one of its tokens got a 200. */
export type Entry = "confirmed" | "already-invalid" | "proven";

export interface Journal {
  /** The entry of a key, of this run or an earlier one. */
  get(key: string): Entry | undefined;
  /** Returns once the line is written. @throws the error of the file system */
  add(key: string, entry: Entry): void;
  close(): void;
  /** The number of lines that were not understood. */
  readonly unread: number;
}

export interface Keys {
  /** One token in one region. */
  token(region: Region, accessToken: string): string;
  /** The environment of a region: its address and client key. */
  environment(region: Region): string;
}

/** The same token elsewhere, in another region or at the other endpoint is another key. */
export function keysOf(
  { baseUrl, clientKey }: { baseUrl: string; clientKey: string },
  endpoint: Endpoint,
): Keys {
  const hash = (...parts: string[]) =>
    createHash("sha256")
      .update(JSON.stringify([baseUrl, ...parts]))
      .digest("hex");
  return {
    token: (region, accessToken) => hash(endpoint, region, accessToken),
    environment: (region) => hash("environment", region, clientKey),
  };
}

/** Without a file, nothing is remembered. */
export const noJournal: Journal = { get: () => undefined, add() {}, close() {}, unread: 0 };

/** @throws Error if the file cannot be read and appended to, is not a journal, or is in use */
export async function openJournal(path: string): Promise<Journal> {
  const file = openSync(path, "a+", 0o600);
  const headerLength = checkHeader(file);
  const unlock = lock(`${path}.lock`);
  if (headerLength < HEADER.length) writeSync(file, HEADER.slice(headerLength));
  const { entries, unread } = await readFrom(path);
  if (isTorn(path)) writeSync(file, "\n");
  return {
    get: (key) => entries.get(key),
    add(key, entry) {
      writeLine(file, `${key} ${entry}`);
      entries.set(key, entry);
    },
    close() {
      fsyncSync(file);
      closeSync(file);
      unlock();
    },
    unread,
  };
}

/** The same for a run that sends nothing: the file is left as it is, and may be missing. */
export async function readJournal(path: string): Promise<Journal> {
  if (!existsSync(path)) return noJournal;
  const file = openSync(path, "r");
  checkHeader(file);
  closeSync(file);
  const { entries, unread } = await readFrom(path);
  return { ...noJournal, get: (key) => entries.get(key), unread };
}

async function readFrom(path: string): Promise<{ entries: Map<string, Entry>; unread: number }> {
  const entries = new Map<string, Entry>();
  let unread = 0;
  for await (const { number, text = "" } of linesOf(createReadStream(path))) {
    const [, key, entry] = LINE.exec(text) ?? [];
    if (key) entries.set(key, entry as Entry);
    else if (number > 1 && text !== "") unread += 1;
  }
  return { entries, unread };
}

/** Returns how much of its first line a file has: a list of tokens given by mistake must stay as it is. */
function checkHeader(file: number): number {
  if (!fstatSync(file).isFile()) throw new Error("it is not a regular file");
  const begin = Buffer.alloc(HEADER.length);
  const length = readSync(file, begin, 0, HEADER.length, 0);
  if (!HEADER.startsWith(begin.toString("latin1", 0, length))) throw new Error("it is not a journal");
  return length;
}

/** Lets one run at a time use a journal. @returns the function that ends it. @throws Error if another run has it */
function lock(path: string): () => void {
  const own = `${process.pid} ${hostname()}\n`;
  for (;;) {
    try {
      writeFileSync(path, own, { flag: "wx" });
      break;
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      if (isHeld(path))
        throw new Error(`another run uses it. If none does, remove its lock, the file that ends with .lock`);
      rmSync(path, { force: true });
    }
  }
  const timer = setInterval(() => utimesSync(path, new Date(), new Date()), LOCK_LIFETIME / 4).unref();
  return () => {
    clearInterval(timer);
    rmSync(path, { force: true });
  };
}

/** Returns whether the run of a lock is alive. */
function isHeld(path: string): boolean {
  try {
    const [pid, host] = readFileSync(path, "utf8").trim().split(" ");
    const isFresh = Date.now() - statSync(path).mtimeMs < LOCK_LIFETIME;
    // A lock without a content is being written.
    return isFresh && (!pid || host !== hostname() || isAlive(Number(pid)));
  } catch {
    // Removed in the meantime.
    return false;
  }
}
