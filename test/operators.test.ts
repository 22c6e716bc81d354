/** The recipes for pino and OpenTelemetry, with the real libraries. */
import {
  AggregationTemporality,
  type DataPoint,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { pino } from "pino";
import { expect, it, onTestFinished, vi } from "vitest";
import { logEvents } from "../examples/operators/logs.ts";
import { endAll } from "../examples/operators/many.ts";
import { createEndingMetrics } from "../examples/operators/metrics.ts";
import { endSession, memoryStore } from "../src/index.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import { BASE_URL, LOGOUT, REVOKE, setup, storeDouble } from "./support.ts";

/** Pino's lines, without the parts that vary by machine and time. */
function logger() {
  const text: string[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line) => void text.push(line) });
  return { log, text, lines: () => text.map((line) => JSON.parse(line)) };
}

function metrics() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const meters = new MeterProvider({ readers: [reader] });
  onTestFinished(() => meters.shutdown());
  return {
    ...createEndingMetrics(meters.getMeter("test")),
    /** Returns all exported metrics, by name. */
    async collect() {
      await meters.forceFlush();
      const all = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
      const points = (wanted: string) =>
        all
          .flatMap(({ metrics }) => metrics)
          .filter(({ descriptor }) => descriptor.name === wanted)
          .flatMap(({ dataPoints }) => dataPoints as DataPoint<unknown>[])
          .map(({ attributes, value }) => ({ attributes, value }));
      return {
        text: JSON.stringify(all),
        endings: points("baanx.session.endings"),
        durations: points("baanx.session.ending.duration"),
      };
    },
  };
}

const confirmed = { endpoint: "logout", server: "confirmed", local: "cleared" };
const refused = { endpoint: "logout", server: "unconfirmed", local: "pending" };

it("logs each event with pino, at a higher level if a session may be alive, without tokens", async () => {
  const { log, text, lines } = logger();
  const { session, provider, startLogin } = setup();
  const stop = logEvents(session, log);
  const first = await startLogin();
  provider.misbehave({ path: LOGOUT, status: 403, times: 1, body: () => first.accessToken });
  await session.logout();
  await session.flush();
  stop();
  await startLogin();
  expect(lines()).toEqual([
    { level: 30, event: "started", pending: 0, msg: "session" },
    { level: 30, event: "signed-out", reason: "ended", pending: 1, msg: "session" },
    expect.objectContaining({ level: 40, event: "settled", ...refused, code: "rejected", status: 403 }),
    expect.objectContaining({ level: 30, event: "settled", ...confirmed, pending: 0 }),
  ]);
  for (const secret of [first.accessToken, first.userId, provider.clientKey])
    expect(text.join()).not.toContain(secret);
});

it("warns with pino about a failed renewal, and about a refresh token that may survive an ending", async () => {
  const { log, text, lines } = logger();
  const renew = () => Promise.reject(new TypeError("quoted-secret"));
  const { session, provider, startOAuth } = setup({ renew });
  logEvents(session, log);
  const tokens = await startOAuth();
  provider.expire(tokens.accessToken);
  await session.client.GET("/v1/user");
  await session.logout();
  expect(lines()).toContainEqual(
    expect.objectContaining({ level: 40, event: "renew-failed", code: "network", msg: "a renewal failed" }),
  );
  expect(lines().at(-1)).toMatchObject({
    level: 40,
    event: "settled",
    server: "already-invalid",
    refreshToken: "may-be-valid",
    msg: "a session may not have ended",
  });
  for (const secret of [tokens.accessToken, tokens.refreshToken, "quoted-secret"])
    expect(text.join()).not.toContain(secret);
});

it("logs an error with pino for a failing store, without the store's message", async () => {
  const { log, text, lines } = logger();
  const store = storeDouble(({ method, text: quoted }) => {
    if (method === "write") throw new Error(`cannot write ${quoted}`);
  }, memoryStore());
  const { session, startLogin } = setup({ store });
  logEvents(session, log);
  const { accessToken } = await startLogin();
  expect(lines()).toContainEqual(
    expect.objectContaining({ level: 50, event: "store-failed", code: "store-failed" }),
  );
  expect(text.join()).not.toContain(accessToken);
});

it("counts and times endings with OpenTelemetry by endpoint, server, local and error, without tokens", async () => {
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ["performance"] });
  const { follow, record, collect } = metrics();
  const { session, provider, startLogin, startOAuth } = setup({ retries: 0 });
  const stop = follow(session);
  const tokens = [await startLogin()];
  provider.misbehave({
    path: LOGOUT,
    status: 403,
    times: 1,
    body() {
      vi.advanceTimersByTime(2_000);
      return tokens[0]?.accessToken ?? "";
    },
  });
  await session.logout();
  // An ending without a sign-out: it is counted, but not timed.
  await session.flush();
  const authorized = await startOAuth();
  await session.end();
  const gone = provider.login();
  record(
    await endSession(
      { baseUrl: BASE_URL, clientKey: provider.clientKey, fetch: provider.fetch },
      { accessToken: gone.accessToken, grant: "login" },
    ),
    0.3,
  );
  stop();
  await startLogin();
  await session.end();

  const { text, endings, durations } = await collect();
  expect(endings).toEqual([
    { attributes: { ...refused, "error.type": "rejected" }, value: 1 },
    { attributes: confirmed, value: 1 },
    { attributes: { endpoint: "revoke", server: "confirmed", local: "cleared" }, value: 1 },
    { attributes: { endpoint: "logout", server: "confirmed" }, value: 1 },
  ]);
  expect(durations.map(({ value }) => value)).toMatchObject([
    { count: 1, sum: 2 },
    { count: 1, sum: 0 },
    { count: 1, sum: 0.3 },
  ]);
  expect(provider.requests.map(({ path }) => path)).toContain(REVOKE);
  for (const secret of [...tokens, authorized, gone].map(({ accessToken }) => accessToken))
    expect(text).not.toContain(secret);
});

it("does not time an ending that cannot be distinguished from an older one", async () => {
  const { follow, collect } = metrics();
  const { session, provider, startLogin } = setup({ retries: 0 });
  follow(session);
  await startLogin();
  provider.misbehave({ path: LOGOUT, status: 403, times: 3 });
  await session.logout();
  await startLogin();
  await session.logout();
  const { endings, durations } = await collect();
  expect(endings).toMatchObject([{ value: 3 }]);
  expect(durations).toMatchObject([{ value: { count: 1 } }]);
});

it("ends many tokens with no more requests in flight than the limit, and one result for each", async () => {
  const provider = createSandboxApp();
  let inFlight = 0;
  let most = 0;
  const fetch: typeof globalThis.fetch = async (...args) => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    const response = await provider.fetch(...args);
    inFlight -= 1;
    return response;
  };
  const targets = Array.from({ length: 300 }, () => ({ ...provider.login(), grant: "login" as const }));
  provider.misbehave({ path: LOGOUT, status: 403, times: 1 });
  const ends = await endAll({ baseUrl: BASE_URL, clientKey: provider.clientKey, fetch }, targets, 8);
  expect(most).toBe(8);
  expect(ends.map(({ server }) => server)).toEqual(["unconfirmed", ...Array(299).fill("confirmed")]);
  expect(targets.filter(({ accessToken }) => provider.isAlive(accessToken))).toHaveLength(1);
});
