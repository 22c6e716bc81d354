/** The settings of the processes, from the environment, and their connection to Redis. */
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

/** Checks all settings: a wrong one ends the process with one sentence before any job is touched. */
export function checkedSeal(): Seal {
  try {
    const { timeout, ...target } = api;
    createBindings(target);
    for (const [name, value, most] of [
      ["CONCURRENCY", pace.concurrency, 2 ** 31 - 1],
      ["PER_SECOND", pace.perSecond, 2 ** 31 - 1],
      ["LOCK_MS", pace.lock, 2 ** 31 - 1],
      ["TIMEOUT_MS", timeout, 60_000],
    ] as const)
      if (!Number.isInteger(value) || value < 1 || value > most)
        throw new Error(`${name} must be a whole number, from 1 to ${most}.`);
    return createSeal(env["ENDINGS_KEY"]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : "The settings are wrong.");
    process.exit(2);
  }
}

/** Waits for Redis without a limit, as workers may; a back end that answers users must not. */
export function connect(url = env["REDIS_URL"] ?? "redis://127.0.0.1:6379"): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  redis.on("error", ({ code }: Error & { code?: string }) => console.error(`redis: ${code ?? "error"}`));
  return redis;
}
