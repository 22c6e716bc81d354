/**
 * The queue of endings, and its entrances: `endNow` for a request, `addEnding` for anything else. A job is named by a
 * digest of its token and holds the token sealed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type EndSessionOptions, type EndTarget, endSession, type ServerEnd } from "baanx-session";
import { type Job, type JobsOptions, Queue } from "bullmq";
import type { Redis } from "ioredis";
import type { Place, Seal } from "./seal.ts";

export const QUEUE = "baanx-endings";

/** The data of a job. */
export interface EndingJob extends Omit<Place, "baseUrl"> {
  sealed: string;
  /** In ms since the epoch; six hours later the job becomes a dead letter. */
  since: number;
}

export type EndingQueue = Queue<EndingJob>;

/** 30 days in seconds. */
const DEAD_LETTERS_KEPT = 2_592_000;

const jobOptions: JobsOptions = {
  // More than the backoff of `work.ts` allows in six hours: a job with a wrong `since` must not be retried for ever.
  attempts: 200,
  backoff: { type: "custom" },
  removeOnComplete: true,
  removeOnFail: { age: DEAD_LETTERS_KEPT },
  // Stored lines of the stack trace of a failure.
  stackTraceLimit: 1,
};

export function openQueue(connection: Redis): EndingQueue {
  const queue: EndingQueue = new Queue(QUEUE, { connection, defaultJobOptions: jobOptions });
  // The creator of the connection reports its errors.
  queue.on("error", () => {});
  return queue;
}

/** Returns whether the data of a job is valid: anything that writes to Redis can change it. */
export function isEndingJob(data: unknown): data is EndingJob {
  const { sealed, grant, region, since }: Partial<Record<keyof EndingJob, unknown>> = Object(data);
  return (
    typeof sealed === "string" &&
    (grant === "login" || grant === "oauth") &&
    (region === "international" || region === "us") &&
    Number.isSafeInteger(since) &&
    (since as number) >= 0
  );
}

/**
 * Adds an ending. The same token is the same job, however often it is added, and a dead letter of it is retried.
 *
 * @param delay - ms before the first attempt
 */
export async function addEnding(
  queue: EndingQueue,
  seal: Seal,
  { accessToken, place }: { accessToken: string; place: Place },
  delay = 0,
): Promise<Job<EndingJob>> {
  const { grant, region } = place;
  const data = { sealed: seal.close(accessToken, place), grant, region, since: Date.now() };
  const job = await queue.add(grant, data, { jobId: seal.digest(accessToken, place), delay });
  // BullMQ ignores a job whose id exists, also if that job is dead.
  if (await job.isFailed()) await retryDead(job, data);
  return job;
}

/** Retries a dead letter, with six hours of its own. */
export async function retryDead(job: Job<EndingJob>, data: EndingJob): Promise<void> {
  await job.updateData(data);
  try {
    await job.retry("failed", { resetAttemptsMade: true, resetAttemptsStarted: true });
  } catch (error) {
    // Another process may have retried it just now.
    if (await job.isFailed()) throw error;
  }
}

/**
 * Ends a token while a user waits, and leaves an unconfirmed ending to the workers. The job is added while the server is
 * asked, so that a killed process loses nothing; it begins after the deadline of this request.
 *
 * @returns the answer of the server, and whether a job retries the ending: without one, nothing does
 */
export async function endNow(
  queue: EndingQueue,
  seal: Seal,
  options: EndSessionOptions,
  target: EndTarget,
): Promise<ServerEnd & { isQueued: boolean }> {
  const { timeout = 5_000, region = "international", baseUrl } = options;
  const place = { baseUrl, grant: target.grant, region: target.region ?? region };
  // Both at once: the user does not wait for Redis, and the ending does not wait for the job.
  const [job, end] = await Promise.all([
    within(timeout, addEnding(queue, seal, { accessToken: target.accessToken, place }, timeout)),
    endSession(options, target),
  ]);
  if (end.server === "unconfirmed") return { ...end, isQueued: job !== undefined };
  // A job that cannot be removed asks once more, and gets a 401.
  if (job) await within(timeout, job.remove());
  return { ...end, isQueued: false };
}

/** Resolves to undefined after a failure, or after `ms`: a client of Redis may wait for ever. */
const within = <T>(ms: number, promise: Promise<T>): Promise<T | undefined> =>
  Promise.race([promise.catch(() => undefined), sleep(ms, undefined, { ref: false })]);
