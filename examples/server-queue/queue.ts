/**
 * The queue of endings, and its two entrances: `endNow` for a request, `addAll` for a list. A job names its token by a
 * digest and holds it sealed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type EndSessionOptions, type EndTarget, endSession, type ServerEnd } from "baanx-session";
import { type JobsOptions, Queue } from "bullmq";
import type { Redis } from "ioredis";
import type { Place, Seal } from "./seal.ts";

export const QUEUE = "baanx-endings";

/** The data of a job. */
export interface EndingJob extends Omit<Place, "baseUrl"> {
  sealed: string;
  /** In ms since the epoch; six hours later the job becomes a dead letter. */
  since: number;
  /** The incident whose results it adds to. */
  run?: string;
  /** The name of the token there. */
  digest: string;
}

export type EndingQueue = Queue<EndingJob>;

/** 30 days in seconds. */
const DEAD_LETTERS_KEPT = 2_592_000;

const jobOptions: JobsOptions = {
  // `patience.ts` decides how often and when: this number only has to be higher.
  attempts: 1_000_000,
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

/** A token to end, in an environment. */
export interface Ending extends Pick<EndTarget, "accessToken"> {
  place: Place;
  run?: string;
}

/** The same token of the same run is the same job, however often it is added. */
export function jobOf(seal: Seal, { accessToken, place, run }: Ending, delay = 0) {
  const digest = seal.digest(accessToken, place);
  const { grant, region } = place;
  const data: EndingJob = {
    sealed: seal.close(accessToken, place),
    grant,
    region,
    since: Date.now(),
    digest,
    ...(run !== undefined && { run }),
  };
  return { name: grant, data, opts: { jobId: run === undefined ? digest : `${run}-${digest}`, delay } };
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
  const { name, data, opts } = jobOf(seal, { accessToken: target.accessToken, place }, timeout);
  // Both at once: the user does not wait for Redis, and the ending does not wait for the job.
  const [job, end] = await Promise.all([
    within(timeout, queue.add(name, data, opts)),
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
