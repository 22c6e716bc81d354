/** For `node --import`: makes terminals of the outputs of a process, as far as the command asks. */
import { WriteStream } from "node:tty";

const { hasColors, getColorDepth } = WriteStream.prototype;

for (const stream of [process.stdout, process.stderr])
  Object.assign(stream, { isTTY: true, hasColors, getColorDepth });
