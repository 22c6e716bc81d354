/** A worker process: start as many as needed, on any number of machines; see README.md. */
import { setTimeout as sleep } from "node:timers/promises";
import { openQueue, QUEUE } from "./queue.ts";
import { api, checkedSeal, connect, pace } from "./settings.ts";
import { startWorker } from "./work.ts";

const seal = checkedSeal();
const redis = connect();
const worker = startWorker({ redis, queue: openQueue(redis), seal, api, ...pace });
worker.on("failed", (job, { message }) => {
  // A job that will be retried is not reported.
  if (job?.finishedOn) console.error(`dead letter ${job.id}: ${message}`);
});
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, async () => {
    // Finishes the jobs in flight, and leaves the others to other workers. While Redis is away it would wait for ever: the
    // jobs in flight are then retried once their locks have lapsed.
    await Promise.race([worker.close(), sleep(api.timeout + 1_000)]);
    process.exit();
  });
await worker.waitUntilReady();
console.log(`works on ${QUEUE}`);
