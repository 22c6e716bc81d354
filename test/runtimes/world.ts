/**
 * The servers of a scenario, all on loopback: the sandbox, one that redirects, a port that is closed at first, and one
 * for requests to change them.
 */
import { createServer } from "node:net";
import { Hono } from "hono";
import { createSandboxApp } from "../../src/sandbox/sandbox.ts";
import { type RunningServer, startServer } from "../../src/sandbox/server.ts";
import type { Settings } from "./scenario.ts";

export type World = Awaited<ReturnType<typeof createWorld>>;

export async function createWorld() {
  const provider = createSandboxApp();
  /** The requests that arrived behind the redirects. */
  const leaked: string[] = [];
  const elsewhere = new Hono().all("*", (c) => {
    leaked.push(`${c.req.method} ${JSON.stringify(c.req.header())}`);
    // The most tempting answer.
    return c.json({ success: true });
  });
  const dead = await freePort();
  const servers: RunningServer[] = [];
  const serve = async (app: Hono, port?: number) => {
    const server = await startServer({ app }, port === undefined ? {} : { port });
    servers.push(server);
    return server.url;
  };

  const changes: Record<string, () => unknown> = {
    "/late": () => serve(provider.app, dead),
    "/hanging": () => provider.misbehave({ path: "/v1/user", delay: "forever", times: 1 }),
    "/long": () => provider.misbehave({ path: "/v1/user", status: 500, body: "x".repeat(100_000), times: 1 }),
    "/silent": () => provider.misbehave({ path: "/v1/auth/logout", delay: "forever", times: 1 }),
  };
  const control = new Hono().get("*", async (c) => {
    await changes[c.req.path]?.();
    return c.body(null, c.req.path in changes ? 200 : 404);
  });
  const elsewhereUrl = await serve(elsewhere);
  const redirecting = new Hono().all("*", (c) => c.redirect(`${elsewhereUrl}/elsewhere`, 307));

  const login = () => provider.login().accessToken;
  const settings: Settings = {
    sandbox: await serve(provider.app),
    dead: `http://127.0.0.1:${dead}`,
    redirecting: await serve(redirecting),
    world: await serve(control),
    clientKey: provider.clientKey,
    tokens: {
      login: login(),
      oauth: provider.authorize().accessToken,
      renewed: provider.authorize(provider.addUser().id).accessToken,
      late: login(),
      silent: login(),
      redirected: login(),
      hanging: login(),
      long: login(),
    },
  };
  return {
    settings,
    leaked,
    isAlive: provider.isAlive,
    end: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

/** Returns a port outside of the system's own range, because it could assign those before the port is needed. */
async function freePort(): Promise<number> {
  const port = 10_000 + Math.floor(Math.random() * 10_000);
  return (await isFree(port)) ? port : freePort();
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
