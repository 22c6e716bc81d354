/** What the processes here take from the environment, and how they reach Redis. */
import { createBindings, type Region } from "baanx-session";
import { Redis } from "ioredis";
import { createSeal, type Seal } from "./seal.ts";

const { env } = process;

/** The API, as `endSession` takes it. */
export const api = {
  baseUrl: env["BAANX_BASE_URL"] ?? "https://dev.api.baanx.com",
  clientKey: env["BAANX_CLIENT_KEY"] ?? "",
  region: (env["BAANX_REGION"] ?? "international") as Region,
  timeout: Number(env["TIMEOUT_MS"] ?? 5_000),
};

/** How a worker works: see `WorkerSettings`. */
export const pace = {
  concurrency: Number(env["CONCURRENCY"] ?? 8),
  perSecond: Number(env["PER_SECOND"] ?? 100),
  lock: Number(env["LOCK_MS"] ?? 30_000),
};

/** Checks all of it first: a wrong setting ends the process, with a sentence, before any job pays for it. */
export function checkedSeal(): Seal {
  try {
    createBindings(api);
    for (const [name, value] of Object.entries({
      CONCURRENCY: pace.concurrency,
      PER_SECOND: pace.perSecond,
      LOCK_MS: pace.lock,
      TIMEOUT_MS: api.timeout,
    }))
      if (!Number.isInteger(value) || value < 1 || value >= 2 ** 31)
        throw new Error(`${name} must be a whole number, from 1 to 2147483647.`);
    return createSeal(env["ENDINGS_KEY"]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : "The settings are wrong.");
    process.exit(2);
  }
}

/** Waits for Redis as long as it takes, as workers and lists may; a back end that answers users must not. */
export function connect(url = env["REDIS_URL"] ?? "redis://127.0.0.1:6379"): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  redis.on("error", ({ code }: Error & { code?: string }) => console.error(`redis: ${code ?? "error"}`));
  return redis;
}
