/** For `node --import`: what a process writes to goes on as a terminal, as far as our code and cli-progress ask. */
import { WriteStream } from "node:tty";

const { hasColors, getColorDepth } = WriteStream.prototype;

for (const stream of [process.stdout, process.stderr])
  Object.assign(stream, { isTTY: true, columns: 120, hasColors, getColorDepth });
