/** Starts the server of the benchmarks in a separate process. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export interface Loopback {
  url: string;
  /** Resolves to the number of requests received. */
  count(): Promise<number>;
  close(): void;
}

export async function startLoopback(): Promise<Loopback> {
  const child = fork(join(import.meta.dirname, "server.mjs"), { execArgv: [] });
  const [url] = await once(child, "message");
  return {
    url,
    count: async () => {
      child.send("count");
      const [count] = await once(child, "message");
      return count;
    },
    close: () => child.disconnect(),
  };
}
