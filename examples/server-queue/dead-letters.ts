/**
 * Prints the dead letters, one JSON line each, and with `--retry` retries all of them, with six hours of their own. It
 * cannot show a token, since it lacks the key.
 */
import { parseArgs } from "node:util";
import { isEndingJob, openQueue, retryDead } from "./queue.ts";
import { connect } from "./settings.ts";

const CHUNK = 1_000;

const { values } = parseArgs({ options: { retry: { type: "boolean", default: false } } });
const redis = connect();
const queue = openQueue(redis);
// Jobs that fail again in the meantime are left for the next run.
const until = Date.now();

/** Anything that writes to Redis can change a job: a wrong time is left out. */
const timeOf = (ms: unknown) => {
  const date = new Date(Number(ms));
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
};

// Oldest first: retried jobs leave the front of the list, and jobs that fail again join its end.
for (let start = 0; ; ) {
  const ids = await queue.getRanges(["failed"], start, start + CHUNK - 1, true);
  if (ids.length === 0) break;
  let retried = 0;
  for (const id of ids) {
    const job = await queue.getJob(id).catch(() => undefined);
    if (!job) {
      console.log(JSON.stringify({ id, reason: "invalid: the job cannot be read" }));
      continue;
    }
    const { data, failedReason: reason, attemptsMade: attempts, finishedOn } = job;
    const isValid = isEndingJob(data);
    const ending = isValid && {
      endpoint: data.grant === "oauth" ? "revoke" : "logout",
      region: data.region,
      wantedAt: timeOf(data.since),
    };
    console.log(JSON.stringify({ id, ...ending, reason, attempts, givenUpAt: timeOf(finishedOn) }));
    if (!values.retry || !isValid || Number(finishedOn) > until) continue;
    await retryDead(job, { ...data, since: Date.now() });
    retried += 1;
  }
  start += ids.length - retried;
}
await queue.close();
redis.disconnect();
