/** Reads the output of other processes. */
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";

export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** Collects the output of a process until it ends, and its exit code. */
export async function collect(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Ran> {
  const ran: Ran = { code: null, out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    ran.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    ran.err += text;
  });
  const [code] = await once(child, "close");
  ran.code = code;
  return ran;
}
