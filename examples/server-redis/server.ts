/** Starts one process of the back end. Settings come from the environment; see README.md. */
import { serve } from "@hono/node-server";
import { createClient } from "redis";
import { openQueue } from "../server-queue/queue.ts";
import { checkedSeal, connect } from "../server-queue/settings.ts";
import { createApp, flushPending } from "./app.ts";
import { handOverTo } from "./hand-over.ts";

const { env } = process;
const settings = {
  baseUrl: env["BAANX_BASE_URL"] ?? "https://dev.api.baanx.com",
  clientKey: env["BAANX_CLIENT_KEY"] ?? "",
  secretKey: env["BAANX_SECRET_KEY"],
  timeout: Number(env["TIMEOUT_MS"] ?? 5_000),
};

const redis = createClient({ url: env["REDIS_URL"] ?? "redis://127.0.0.1:6379" });
redis.on("error", ({ code }) => console.error(`redis: ${code ?? "error"}`));
await redis.connect();

const { fetch } = createApp(redis, settings);
serve({ fetch, port: Number(env["PORT"] ?? 0), hostname: "127.0.0.1" }, ({ port }) => {
  console.log(`http://127.0.0.1:${port}`);
});

// With a key there are workers, which retry for longer and share one rate limit.
const sweeping = env["ENDINGS_KEY"]
  ? { ...settings, fetch: handOverTo(openQueue(connect()), checkedSeal(), settings.baseUrl) }
  : settings;

// Retries the endings of processes that were killed, and those that the server did not confirm.
async function sweep(): Promise<void> {
  await flushPending(redis, sweeping).catch(() =>
    console.error("redis: the pending endings could not be read"),
  );
  setTimeout(sweep, Number(env["SWEEP_MS"] ?? 60_000));
}
await sweep();
