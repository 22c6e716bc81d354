/** The session over real connections, with the runtime's own fetch, as in-process tests cannot test it. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { createSession, type ProbeTarget, probe } from "../src/index.ts";
import { createSandboxApp, type Fault } from "../src/sandbox/sandbox.ts";
import { type RunningServer, startServer } from "../src/sandbox/server.ts";
import { endings } from "./support.ts";

const provider = createSandboxApp();
let server: RunningServer;

beforeAll(async () => {
  server = await startServer(provider);
});
afterAll(() => server.close());
beforeEach(() => void provider.requests.splice(0));

async function start(options: { timeout?: number; retries?: number; baseUrl?: string } = {}) {
  const all = { baseUrl: server.url, clientKey: provider.clientKey, retries: 0, ...options };
  const session = createSession(all);
  const tokens = provider.login();
  await session.start({ ...tokens, grant: "login" });
  return { session, ...tokens, probe: (target: ProbeTarget) => probe(all, target) };
}

it("uses a session and ends it with one request", async () => {
  const { session, accessToken, probe } = await start();
  expect((await session.client.GET("/v1/user")).data?.id).toBe(provider.user.id);
  expect(await session.logout()).toEqual({ endpoint: "logout", server: "confirmed", local: "cleared" });
  expect(provider.isAlive(accessToken)).toBe(false);
  expect(endings(provider)).toHaveLength(1);
  expect(await probe({ accessToken })).toBe("invalid");
});

const faults: [what: string, fault: Fault, code: string][] = [
  ["never answers", { delay: "forever" }, "timeout"],
  ["trickles its body", { trickle: 1_000 }, "timeout"],
  ["drops the connection", { drop: true }, "network"],
  ["breaks off its body", { truncate: 4 }, "network"],
  ["redirects", { status: 307, headers: { location: "/v1/user" } }, "unexpected-response"],
];

it.each(faults)("reports unconfirmed, to be flushed, for a server that %s", async (_, fault, code) => {
  const { session, accessToken } = await start({ timeout: 500 });
  const undo = provider.misbehave(fault);
  const end = await session.logout();
  expect(end).toMatchObject({ server: "unconfirmed", local: "pending", error: { code } });
  undo();
  const [again] = await session.flush();
  expect(["confirmed", "already-invalid"]).toContain(again?.server);
  expect(provider.isAlive(accessToken)).toBe(false);
});

it("aborts a body that is still streaming for its caller", async () => {
  const { session } = await start();
  const undo = provider.misbehave({ path: "/v1/user", trickle: 60_000 });
  const caller = new AbortController();
  const response = await session.fetch(`${server.url}/v1/user`, { signal: caller.signal });
  const text = response.text();
  caller.abort();
  await expect(text).rejects.toMatchObject({ name: "AbortError" });
  undo();
});

it("aborts a data call in flight for the server too", async () => {
  // Accepts connections, reads, and does not answer.
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const { session } = await start({ baseUrl: `http://127.0.0.1:${port}` });
  const call = session.client.GET("/v1/user").catch((error: unknown) => error);
  const [socket]: Socket[] = await once(silent, "connection");
  await once(socket as Socket, "data");
  const closed = new Promise((resolve) => (socket as Socket).on("error", () => {}).once("close", resolve));
  session.logout({ signal: AbortSignal.abort() });
  expect(await call).toMatchObject({ code: "session-ended" });
  await closed;
  silent.close();
});
