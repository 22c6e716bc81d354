/**
 * How a list stops before its end: by a signal or for a reason. No further line is taken, and what is under way
 * is finished by whoever began it. A second signal ends the process at once.
 */
import { constants } from "node:os";
import type { Readable } from "node:stream";

export interface Stop {
  /** With the exit code 1, or another. */
  now(reason: string, code?: number): void;
  isStopped(): boolean;
  onStop(listener: (reason: string) => void): void;
  /** Of a list that did not come to its end. */
  readonly exitCode: number | undefined;
  dispose(): void;
}

export function createStop(input: Readable): Stop {
  const listeners: ((reason: string) => void)[] = [];
  let reason: string | undefined;
  let exitCode: number | undefined;

  function stop(why: string, code: number): void {
    if (reason !== undefined) return;
    reason = why;
    exitCode = code;
    // A worker that waits for a line would wait as long as nobody writes one.
    input.destroy();
    for (const listener of listeners) listener(why);
  }
  const onSignal = (signal: "SIGINT" | "SIGTERM") => {
    dispose();
    stop(`interrupted (${signal}); what is under way is finished`, 128 + constants.signals[signal]);
  };
  function dispose(): void {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);

  return {
    now: (why, code = 1) => stop(why, code),
    isStopped: () => reason !== undefined,
    onStop: (listener) => void listeners.push(listener),
    get exitCode() {
      return exitCode;
    },
    dispose,
  };
}
