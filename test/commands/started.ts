/** Starts a command in a shell at the root, and collects its output until it ends or matches. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { root } from "./documents.ts";

export interface Started {
  /** Missing if the command was interrupted. */
  code?: number | null;
  said: string;
}

/** @param until - interrupts the command, as Ctrl-C does, as soon as its output matches */
export async function started(command: string, cwd = root, until?: RegExp): Promise<Started> {
  const { PATH, HOME } = process.env;
  // A group of its own, so that the interruption reaches what npm has started.
  const child = spawn("sh", ["-c", command], { cwd, env: { PATH, HOME, CI: "true" }, detached: true });
  let said = "";
  let isInterrupted = false;
  const hear = (text: string) => {
    said += text;
    if (isInterrupted || !until?.test(said) || child.pid === undefined) return;
    isInterrupted = true;
    process.kill(-child.pid, "SIGINT");
  };
  child.stdout.setEncoding("utf8").on("data", hear);
  child.stderr.setEncoding("utf8").on("data", hear);
  child.stdin.end();
  const [code] = await once(child, "close");
  return { said, ...(!isInterrupted && { code }) };
}
