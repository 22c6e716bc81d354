/** The work on one job: asks once, and follows `patience.ts` if the token has not ended. */
import { type EndSessionOptions, endSession, SessionError } from "baanx-session";
import { UnrecoverableError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { LONGEST, nextAfter } from "./patience.ts";
import { type EndingJob, type EndingQueue, QUEUE } from "./queue.ts";
import { addResult, type Result } from "./results.ts";
import type { Seal } from "./seal.ts";

/** A failure that is retried after `wait` milliseconds. */
class Later extends Error {
  readonly wait: number;
  constructor(reason: string, wait: number) {
    super(reason);
    this.wait = wait;
  }
}

/** Crashes that a job survives. BullMQ counts each worker that died with it, and would drop the job after the first. */
const MOST_CRASHES = 100;

export interface WorkerSettings {
  redis: Redis;
  queue: EndingQueue;
  seal: Seal;
  api: EndSessionOptions;
  /** Requests of this worker in flight. */
  concurrency: number;
  /** Requests per second of all workers together; give each the same number. */
  perSecond: number;
  /** Milliseconds after which another worker takes the job of a worker that died. */
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
      // A longer pause, set by another worker, stays.
      if (next.pauseAll > (await queue.getRateLimitTtl())) await queue.rateLimit(next.pauseAll);
      throw Worker.RateLimitError();

      /** Asks once: each attempt is one of the job, so that one limit counts all of them. */
      async function end(): Promise<Error | undefined> {
        try {
          const accessToken = seal.open(sealed, { baseUrl: api.baseUrl, grant, region });
          const answer = await endSession({ ...api, retries: 0 }, { accessToken, grant, region });
          if (answer.server === "unconfirmed") return answer.error;
          // Before the job is finished: a finished job has its result.
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
  // Without a listener an error ends the process. `connect` reports the errors of the connection.
  worker.on("error", () => {});
  return worker;

  async function note({ run, digest }: EndingJob, result: Omit<Result, "at">): Promise<void> {
    if (run !== undefined) await addResult(redis, run, digest, result);
  }

  /** In an incident a 401 is a result like the others; every other failure becomes a dead letter. */
  async function giveUp(data: EndingJob, result: Omit<Result, "at">, reason: string): Promise<void> {
    await note(data, result);
    if (data.run === undefined || result.error?.code !== "unauthorized") throw new UnrecoverableError(reason);
  }
}

/** A job that no worker can open gets no answer of the API, and expires. */
function resultOf(error: Error): Omit<Result, "at"> {
  if (!(error instanceof SessionError)) return { server: "expired" };
  const { code, status } = error;
  return { server: "unconfirmed", error: { code, ...(status !== undefined && { status }) } };
}
