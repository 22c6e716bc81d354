/** The work on one job: asks once, and decides what follows if the token has not ended. */
import { type EndSessionOptions, endSession, type SessionErrorCode } from "baanx-session";
import { UnrecoverableError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { type EndingJob, type EndingQueue, isEndingJob, QUEUE } from "./queue.ts";
import type { Seal } from "./seal.ts";

/** 6 h in ms: the lifetime of an access token. */
const LONGEST = 21_600_000;

/** The highest number of attempts; without one, as many as six hours allow. */
const mostAttempts: Partial<Record<SessionErrorCode, number>> = {
  // The access token is dead, and the refresh token cannot be reached with it: another request changes nothing.
  unauthorized: 1,
  "invalid-option": 1,
  // The server refused it, or a proxy answered: a few more attempts, in case the state passes.
  rejected: 5,
  "unexpected-response": 5,
};

/** Returns 0.5 to 1 s, then twice that, up to 5 min; the jitter keeps jobs that failed together from returning together. */
export const backoff = (attempt: number): number =>
  Math.min(1_000 * 2 ** (attempt - 1), 300_000) * (0.5 + Math.random() / 2);

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

  async function work(data: unknown, failed: number, begun: number): Promise<void> {
    if (!isEndingJob(data)) throw new UnrecoverableError("invalid: not the data of an ending");
    const { sealed, grant, region, since } = data;
    // A `since` in the future counts as now.
    if (Math.min(since, Date.now()) + LONGEST <= Date.now())
      throw new UnrecoverableError("expired: six hours have passed");
    const accessToken = seal.open(sealed, { baseUrl: api.baseUrl, grant, region });
    // Each attempt is one of the job, so that one limit counts all of them.
    const { error } = await endSession({ ...api, retries: 0 }, { accessToken, grant, region });
    if (!error) return;
    const { code, message, retryAfter } = error;
    // It is about the load of the server, so it pauses all workers. Other statuses than 429 may have it (RFC 9110,
    // section 10.2.3).
    if (code === "rate-limited" || retryAfter !== undefined) {
      const pause = Math.min(Math.max(retryAfter ?? backoff(begun), 1_000), LONGEST);
      // A longer pause, set by another worker, stays.
      if (pause > (await queue.getRateLimitTtl())) await queue.rateLimit(pause);
      throw Worker.RateLimitError();
    }
    if (failed + 1 >= (mostAttempts[code] ?? Number.POSITIVE_INFINITY)) throw new UnrecoverableError(message);
    throw error;
  }

  const worker = new Worker<EndingJob>(
    QUEUE,
    ({ data, attemptsMade, attemptsStarted }) => work(data, attemptsMade, attemptsStarted),
    {
      connection: redis,
      concurrency,
      limiter: { max: perSecond, duration: 1_000 },
      lockDuration: lock,
      stalledInterval: lock,
      maxStalledCount: MOST_CRASHES,
      settings: { backoffStrategy: backoff },
    },
  );
  // Without a listener an error ends the process. `connect` reports the errors of the connection.
  worker.on("error", () => {});
  return worker;
}
