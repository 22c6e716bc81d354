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

/** What a job holds. */
export interface EndingJob extends Omit<Place, "baseUrl"> {
  sealed: string;
  /** ms since the epoch; six hours later it is given up. */
  since: number;
  /** The incident that it belongs to, to whose results it adds. */
  run?: string;
  /** The name of the token there. */
  digest: string;
}

export type EndingQueue = Queue<EndingJob>;

/** 30 days in seconds, for operators to look at what was given up. */
const DEAD_LETTERS_KEPT = 2_592_000;

const jobOptions: JobsOptions = {
  // How often and when is up to `patience.ts`: this only has to be more.
  attempts: 1_000_000,
  backoff: { type: "custom" },
  removeOnComplete: true,
  removeOnFail: { age: DEAD_LETTERS_KEPT },
  // Lines of the stack trace that are kept of each failure.
  stackTraceLimit: 1,
};

export function openQueue(connection: Redis): EndingQueue {
  const queue: EndingQueue = new Queue(QUEUE, { connection, defaultJobOptions: jobOptions });
  // Errors of the connection are told by whoever has made it.
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
 * Ends a token while a user waits, and leaves what the server does not confirm to the workers. The job is there before
 * the server is asked, so that a process that is killed in between loses nothing; it begins when this here has given up.
 *
 * @returns what the server said, and whether a job goes on: an unconfirmed ending without one is lost when Redis is away
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
  // Both at once: the user does not wait for Redis, nor the token's end for the job.
  const [job, end] = await Promise.all([
    within(timeout, queue.add(name, data, opts)),
    endSession(options, target),
  ]);
  if (end.server === "unconfirmed") return { ...end, isQueued: job !== undefined };
  // One that cannot be removed is asked once more, and hears 401.
  if (job) await within(timeout, job.remove());
  return { ...end, isQueued: false };
}

/** Undefined for what has failed, or takes longer: a client of Redis may wait for ever. */
const within = <T>(ms: number, promise: Promise<T>): Promise<T | undefined> =>
  Promise.race([promise.catch(() => undefined), sleep(ms, undefined, { ref: false })]);
