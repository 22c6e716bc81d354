/**
 * Replays single interactions with Pact's verifier, in a process of its own: the verifier writes reports of
 * its own to the standard output, which may quote what a provider said, and takes orders from PACT_ variables.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { PactFile } from "../pact-file.ts";

export interface Replay {
  baseUrl: string;
  /** A pact of one interaction. */
  pact: PactFile;
  /** What its provider state returned. */
  values: Record<string, string>;
}

/** One thing that did not match, and where. */
export interface Mismatch {
  attribute: "status" | "header" | "body" | "other";
  /** The path in the body, the name of the header; of anything else, empty. */
  identifier: string;
  /** What was expected, and what was there. */
  description: string;
}

export interface Replayed {
  /** What did not match; empty when all did. */
  mismatches: Mismatch[];
  /** Set when the process is of no further use. */
  isLast?: true;
}

export interface Replayer {
  /** Rejects when the verifier did not come to a result. */
  replay(what: Replay): Promise<Replayed>;
  close(): Promise<void>;
}

export function createReplayer(): Replayer {
  let child: ChildProcess | undefined;
  // One after the other, so that an answer belongs to the question before it.
  let last: Promise<unknown> = Promise.resolve();

  function start(): ChildProcess {
    const env = Object.entries(process.env).filter(([name]) => !/^(PACT_|(https?|all)_proxy$)/i.test(name));
    const started = fork(fileURLToPath(new URL("replayer.ts", import.meta.url)), {
      execArgv: ["--import", import.meta.resolve("tsx")],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      env: { ...Object.fromEntries(env), PACT_DO_NOT_TRACK: "true", SCARF_ANALYTICS: "false" },
    });
    started.once("exit", () => {
      if (child === started) child = undefined;
    });
    return started;
  }

  function ask(what: Replay): Promise<Replayed> {
    child ??= start();
    const asked = child;
    return new Promise((resolve, reject) => {
      const over = () => {
        asked.off("message", onMessage);
        asked.off("exit", onExit);
      };
      const onMessage = (answer: Partial<Replayed> & { error?: string }) => {
        over();
        const { mismatches, isLast, error } = answer;
        if (isLast) child = undefined;
        if (mismatches) resolve({ mismatches });
        else reject(new Error(`Pact's verifier came to no result: ${error}`));
      };
      const onExit = () => {
        over();
        reject(new Error("Pact's verifier ended without a result"));
      };
      asked.on("message", onMessage);
      asked.on("exit", onExit);
      asked.send(what);
    });
  }

  return {
    replay(what) {
      const answer = last.then(() => ask(what));
      last = answer.catch(() => {});
      return answer;
    },
    async close() {
      await last;
      if (!child) return;
      const exit = once(child, "exit");
      child.disconnect();
      await exit;
    },
  };
}
