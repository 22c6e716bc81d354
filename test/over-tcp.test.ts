/** The session over real connections, with the runtime's own fetch, as in-process tests cannot test it. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import type { SessionOptions } from "../src/index.ts";
import { createSandboxApp, type Fault } from "../src/sandbox/sandbox.ts";
import { endings, serve, setup } from "./support.ts";

async function start(options: Partial<SessionOptions> = {}) {
  const provider = createSandboxApp();
  const { url: baseUrl } = await serve(provider);
  const world = setup({ baseUrl, fetch: globalThis.fetch, retries: 0, ...options }, provider);
  return { ...world, baseUrl, ...(await world.startLogin()) };
}

it("uses a session and ends it with one request", async () => {
  const { provider, session, accessToken, probe } = await start();
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
  const { provider, session, accessToken } = await start({ timeout: 300 });
  const undo = provider.misbehave(fault);
  const end = await session.logout();
  expect(end).toMatchObject({ server: "unconfirmed", local: "pending", error: { code } });
  undo();
  const [again] = await session.flush();
  expect(["confirmed", "already-invalid"]).toContain(again?.server);
  expect(provider.isAlive(accessToken)).toBe(false);
});

it("aborts a body that is still streaming for its caller", async () => {
  const { provider, session, baseUrl } = await start();
  provider.misbehave({ path: "/v1/user", trickle: 60_000 });
  const caller = new AbortController();
  const response = await session.fetch(`${baseUrl}/v1/user`, { signal: caller.signal });
  const text = response.text();
  caller.abort();
  await expect(text).rejects.toMatchObject({ name: "AbortError" });
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
