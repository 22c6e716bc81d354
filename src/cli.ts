#!/usr/bin/env node
/** The command `baanx-session`: connects `cli/main.ts` to this process, and ends with its exit code. */
import { main } from "./cli/main.ts";

const { argv, env, stdin, stdout, stderr } = process;
// A reader may leave early, as `head` does; a write reports it to its callback.
for (const stream of [stdout, stderr]) stream.on("error", () => {});

process.exitCode = await main(argv.slice(2), {
  ...{ env, stdin, stdout, stderr, signals },
  // `dist/` and `src/` are at the same depth.
  root: new URL("..", import.meta.url),
});

/** A second signal ends the process at once. */
function signals(): AbortSignal {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    controller.abort(signal);
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return controller.signal;
}
