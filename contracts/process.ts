/** Reads the output of other processes. */
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";

export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** Collects the output of a process until it ends, and its exit code. */
export async function collect(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Ran> {
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code, out, err };
}
