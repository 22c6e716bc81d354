/** Starts one process of the back end. Settings come from the environment; see README.md. */
import { serve } from "@hono/node-server";
import type { Session } from "baanx-session";
import { createClient } from "redis";
import { createApp, flushPending } from "./app.ts";
import { evictionWarning } from "./store.ts";

const { env } = process;
const settings = {
  baseUrl: env["BAANX_BASE_URL"] ?? "https://dev.api.baanx.com",
  clientKey: env["BAANX_CLIENT_KEY"] ?? "",
  secretKey: env["BAANX_SECRET_KEY"],
  origin: env["ORIGIN"],
  timeout: Number(env["TIMEOUT_MS"] ?? 5_000),
};

// A command fails at once while Redis is away: users get a 503 instead of waiting.
const redis = createClient({
  url: env["REDIS_URL"] ?? "redis://127.0.0.1:6379",
  disableOfflineQueue: true,
});
redis.on("error", ({ code }) => console.error(`redis: ${code ?? "error"}`));
await redis.connect();
const warning = await evictionWarning(redis);
if (warning) console.warn(warning);

const unfinished = new Set<Session>();
const { fetch } = createApp(redis, settings, unfinished);
serve({ fetch, port: Number(env["PORT"] ?? 0), hostname: "127.0.0.1" }, ({ port }) => {
  console.log(`http://127.0.0.1:${port}`);
});

// Retries the endings of processes that were killed, and the ones that the server did not confirm.
async function sweep(): Promise<void> {
  try {
    for (const key of await flushPending(redis, settings, unfinished))
      console.error(`redis: ${JSON.stringify(key)} disappeared while pending: its token may be alive`);
  } catch {
    console.error("redis: the pending endings could not be read");
  }
  setTimeout(sweep, Number(env["SWEEP_MS"] ?? 60_000));
}
await sweep();
