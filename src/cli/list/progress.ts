/**
 * The progress of a list on a terminal: a bar where the list is a file, whose length is known, and else a count;
 * each with the rate. On anything but a terminal it is silent.
 */
import { fstatSync } from "node:fs";
import cliProgress from "cli-progress";

// CommonJS, whose names Node cannot import one by one.
const { Format, Presets, SingleBar } = cliProgress;

export interface Progress {
  /** A line has its result. */
  advance(bytes: number): void;
  /** Makes room for a line on the same terminal; the bar comes back below it. */
  clear(): void;
  stop(): void;
}

const silent: Progress = { advance() {}, clear() {}, stop() {} };

export function createProgress(): Progress {
  if (!process.stderr.isTTY) return silent;
  const total = sizeOfInput();
  const format = total
    ? "{bar} {percentage}% | {done} done | {rate}/s | {left} left"
    : "{done} done | {rate}/s | {duration_formatted}";
  const bar = new SingleBar({ format, stream: process.stderr, gracefulExit: false }, Presets.shades_classic);
  const begun = Date.now();
  let done = 0;
  let read = 0;

  const numbers = () => {
    const seconds = Math.max((Date.now() - begun) / 1_000, 0.001);
    const left = ((total - read) * seconds) / Math.max(read, 1);
    const rate = Math.round(done / seconds);
    return { done, rate, left: Format.TimeFormat(Math.max(0, Math.round(left)), { autopaddingChar: "" }, 1) };
  };
  bar.start(total, 0, numbers());
  return {
    advance(bytes) {
      done += 1;
      read += bytes;
      bar.update(Math.min(read, total), numbers());
    },
    clear: () => void process.stderr.write("\r\x1b[K"),
    stop: () => bar.stop(),
  };
}

/** 0 where it is not known: a pipe. */
function sizeOfInput(): number {
  const stats = fstatSync(0);
  return stats.isFile() ? stats.size : 0;
}
