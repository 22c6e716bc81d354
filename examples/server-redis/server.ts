/** Starts one process of the back end. Settings come from the environment; see README.md. */
import { serve } from "@hono/node-server";
import { createClient } from "redis";
import { createApp, flushPending } from "./app.ts";

const { env } = process;
const settings = {
  baseUrl: env["BAANX_BASE_URL"] ?? "https://dev.api.baanx.com",
  clientKey: env["BAANX_CLIENT_KEY"] ?? "",
  secretKey: env["BAANX_SECRET_KEY"] ?? "",
  timeout: Number(env["TIMEOUT_MS"] ?? 5_000),
};

const redis = createClient({ url: env["REDIS_URL"] ?? "redis://127.0.0.1:6379" });
redis.on("error", ({ code }) => console.error(`redis: ${code ?? "error"}`));
await redis.connect();

const { fetch } = createApp(redis, settings);
serve({ fetch, port: Number(env["PORT"] ?? 0), hostname: "127.0.0.1" }, ({ port }) => {
  console.log(`http://127.0.0.1:${port}`);
});

// What a process that was killed has left, and what the server did not confirm when it was asked.
async function sweep(): Promise<void> {
  await flushPending(redis, settings).catch(() =>
    console.error("redis: the pending endings could not be read"),
  );
  setTimeout(sweep, Number(env["SWEEP_MS"] ?? 60_000));
}
await sweep();
