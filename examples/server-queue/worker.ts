/** A worker process: start as many as needed, on any number of machines; see README.md. */
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
    // Finishes the jobs in flight, and leaves the others to other workers.
    await worker.close();
    process.exit();
  });
await worker.waitUntilReady();
console.log(`works on ${QUEUE}`);
