/** Starts the server of the benchmarks in a separate process. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export async function startLoopback() {
  const child = fork(join(import.meta.dirname, "server.mjs"), { execArgv: [] });
  const [url]: string[] = await once(child, "message");
  return {
    url: url ?? "",
    /** Resolves to the number of requests received. */
    count: async (): Promise<number> => {
      child.send("count");
      return (await once(child, "message"))[0];
    },
    close: () => child.disconnect(),
  };
}
