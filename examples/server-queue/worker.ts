/** One process that ends what is in the queue: as many of them as are needed, on as many machines; see README.md. */
import { openQueue, QUEUE } from "./queue.ts";
import { api, checkedSeal, connect, pace } from "./settings.ts";
import { startWorker } from "./work.ts";

const seal = checkedSeal();
const redis = connect();
const worker = startWorker({ redis, queue: openQueue(redis), seal, api, ...pace });
worker.on("failed", (job, { message }) => {
  // Of a job that will be tried again there is nothing to tell.
  if (job?.finishedOn) console.error(`dead letter ${job.id}: ${message}`);
});
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, async () => {
    // What is under way is finished; the rest is for the other workers.
    await worker.close();
    process.exit();
  });
await worker.waitUntilReady();
console.log(`works on ${QUEUE}`);
