/** What a worker does with a job: asks once, and goes by `patience.ts` where that has not ended the token. */
import { type EndSessionOptions, endSession, SessionError } from "baanx-session";
import { UnrecoverableError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { LONGEST, nextAfter } from "./patience.ts";
import { type EndingJob, type EndingQueue, QUEUE } from "./queue.ts";
import { addResult, type Result } from "./results.ts";
import type { Seal } from "./seal.ts";

/** A failure that is worth another attempt after so many milliseconds. */
class Later extends Error {
  readonly wait: number;
  constructor(reason: string, wait: number) {
    super(reason);
    this.wait = wait;
  }
}

/** Crashes that a job survives. Redis counts each worker that died with it, and would give up after the first. */
const MOST_CRASHES = 100;

export interface WorkerSettings {
  redis: Redis;
  queue: EndingQueue;
  seal: Seal;
  api: EndSessionOptions;
  /** Endings that this worker asks for at once. */
  concurrency: number;
  /** Requests a second of all workers together; each must be given the same number. */
  perSecond: number;
  /** ms after which the job of a worker that died is taken by another. */
  lock: number;
}

export function startWorker(settings: WorkerSettings): Worker<EndingJob> {
  const { redis, queue, seal, api, concurrency, perSecond, lock } = settings;
  const worker = new Worker<EndingJob>(
    QUEUE,
    async ({ data, attemptsMade, attemptsStarted }) => {
      const { sealed, grant, region, since } = data;
      const left = since + LONGEST - Date.now();
      if (left <= 0) return giveUp(data, { server: "expired" }, "expired: six hours have passed");
      const error = await end();
      if (!error) return;
      const next = nextAfter(error, { begun: attemptsStarted, failed: attemptsMade + 1, since });
      if (next === "give-up") return giveUp(data, resultOf(error), error.message);
      if ("wait" in next) throw new Later(error.message, next.wait);
      // A longer pause that another worker was told stays.
      if (next.pauseAll > (await queue.getRateLimitTtl())) await queue.rateLimit(next.pauseAll);
      throw Worker.RateLimitError();

      /** Asks once: each attempt is a job's, so that the one limit counts them all. */
      async function end(): Promise<Error | undefined> {
        try {
          const accessToken = seal.open(sealed, { baseUrl: api.baseUrl, grant, region });
          const answer = await endSession({ ...api, retries: 0 }, { accessToken, grant, region });
          if (answer.server === "unconfirmed") return answer.error;
          // Before the job is done: what is done has its result.
          await note(data, { server: answer.server });
          return undefined;
        } catch (error) {
          return error as Error;
        }
      }
    },
    {
      connection: redis,
      concurrency,
      limiter: { max: perSecond, duration: 1_000 },
      lockDuration: lock,
      stalledInterval: lock,
      maxStalledCount: MOST_CRASHES,
      settings: { backoffStrategy: (_, __, error) => (error instanceof Later ? error.wait : 1_000) },
    },
  );
  // Without a listener an error ends the process; that of a connection is told by `connect`.
  worker.on("error", () => {});
  return worker;

  async function note({ run, digest }: EndingJob, result: Omit<Result, "at">): Promise<void> {
    if (run !== undefined) await addResult(redis, run, digest, result);
  }

  /** In an incident a 401 is a result, read beside the others'; anything else waits for the operators. */
  async function giveUp(data: EndingJob, result: Omit<Result, "at">, reason: string): Promise<void> {
    await note(data, result);
    if (data.run === undefined || result.error?.code !== "unauthorized") throw new UnrecoverableError(reason);
  }
}

/** Only time ends what has no answer of the API: a job that no worker here can open. */
function resultOf(error: Error): Omit<Result, "at"> {
  if (!(error instanceof SessionError)) return { server: "expired" };
  const { code, status } = error;
  return { server: "unconfirmed", error: { code, ...(status !== undefined && { status }) } };
}
