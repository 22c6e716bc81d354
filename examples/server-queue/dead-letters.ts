/**
 * Prints the dead letters, one JSON line each, and with `--retry` retries all of them, with six hours of their own. It
 * cannot show a token, since it has no key.
 */
import { parseArgs } from "node:util";
import { openQueue } from "./queue.ts";
import { dropResult } from "./results.ts";
import { connect } from "./settings.ts";

const CHUNK = 1_000;

const { values } = parseArgs({ options: { retry: { type: "boolean", default: false } } });
const redis = connect();
const queue = openQueue(redis);
// Jobs that fail again in the meantime are left for the next run.
const until = Date.now();

for (let start = 0; ; ) {
  // Oldest first: retried jobs leave the front of the list, and jobs that fail again join its end.
  const jobs = await queue.getJobs("failed", start, start + CHUNK - 1, true);
  if (jobs.length === 0) break;
  for (const job of jobs) {
    const { id, data, failedReason, attemptsMade, finishedOn = 0 } = job;
    const { grant, region, since, run, digest } = data;
    const endpoint = grant === "oauth" ? "revoke" : "logout";
    const [wantedAt, givenUpAt] = [since, finishedOn].map((time) => new Date(time).toISOString());
    const letter = { endpoint, region, reason: failedReason, attempts: attemptsMade, wantedAt, givenUpAt };
    console.log(JSON.stringify({ id, ...letter, ...(run !== undefined && { run }) }));
    if (!values.retry || finishedOn > until) continue;
    if (run !== undefined) await dropResult(redis, run, digest);
    await job.updateData({ ...data, since: Date.now() });
    await job.retry("failed", { resetAttemptsMade: true });
  }
  if (values.retry && (jobs.at(-1)?.finishedOn ?? 0) > until) break;
  if (!values.retry) start += CHUNK;
}
await queue.close();
redis.disconnect();
