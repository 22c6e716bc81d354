/** The recipes for libraries of pages, each with the real library. */
import { QueryClient, QueryObserver } from "@tanstack/query-core";
import { http } from "msw";
import { setupServer } from "msw/node";
import { describe, expect, it, onTestFinished } from "vitest";
import { axiosOver } from "../examples/page/axios.ts";
import { clearWithSession } from "../examples/page/query.ts";
import { createSession } from "../src/index.ts";
import { createSandbox } from "../src/sandbox/index.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import { BASE_URL, LOGOUT, renewAt, setup } from "./support.ts";
import { browser } from "./tabs.ts";

const KEY = ["user"];

describe("TanStack Query", () => {
  function openWithCache(world: ReturnType<typeof browser>) {
    const tab = world.open();
    const client = new QueryClient();
    onTestFinished(() => client.clear());
    clearWithSession(tab.session, client);
    const load = () =>
      client.fetchQuery({
        queryKey: KEY,
        queryFn: async () => (await tab.session.client.GET("/v1/user")).data ?? null,
      });
    return { ...tab, client, load, cached: () => client.getQueryData<{ id: string }>(KEY)?.id };
  }

  it("clears a user's data after a sign-out, in every tab", async () => {
    const provider = createSandboxApp();
    const world = browser(provider);
    const [one, other] = [openWithCache(world), openWithCache(world)];
    await one.startLogin();
    await other.session.ready();
    await Promise.all([one.load(), other.load()]);
    expect([one.cached(), other.cached()]).toEqual([provider.user.id, provider.user.id]);
    await one.session.logout();
    expect(one.cached()).toBeUndefined();
    world.hear([other]);
    expect(other.cached()).toBeUndefined();
  });

  it("discards data that is loaded while the user signs out", async () => {
    const tab = openWithCache(browser(createSandboxApp()));
    await tab.startLogin();
    const observer = new QueryObserver(tab.client, { queryKey: KEY, retry: false, queryFn: tab.load });
    const stop = observer.subscribe(() => {});
    await tab.session.logout();
    stop();
    expect(tab.cached()).toBeUndefined();
  });

  it("clears the previous user's data if another user signs in over an active session", async () => {
    const tab = openWithCache(browser(createSandboxApp()));
    await tab.startLogin();
    await tab.load();
    await tab.startLogin(tab.provider.addUser({ email: "grace-example@example.com" }).id);
    expect(tab.cached()).toBeUndefined();
  });

  it("keeps server-rendered data when the session is restored", async () => {
    const world = browser(createSandboxApp());
    await world.open().startLogin();
    const tab = openWithCache(world);
    tab.client.setQueryData(KEY, { id: "hydrated" });
    await tab.session.ready();
    expect(tab.session.state).toBe("active");
    expect(tab.cached()).toBe("hydrated");
  });
});

describe("axios", () => {
  it("sends the session's token, renews it, and sends the body again", async () => {
    const provider = createSandboxApp();
    const { session, startOAuth } = setup({ renew: renewAt(provider) }, provider);
    const { accessToken } = await startOAuth();
    provider.expire(accessToken);
    const api = axiosOver(session, BASE_URL);
    const { status, data } = await api.get("/v1/user");
    expect([status, data.id]).toEqual([200, provider.user.id]);
    provider.misbehave({ path: "/v1/echo", status: 401, times: 1 });
    provider.misbehave({ path: "/v1/echo", status: 200, body: (request) => request.text() });
    expect((await api.post("/v1/echo", { amount: 1 })).data).toEqual({ amount: 1 });
  });

  it("reports a missing session, and keeps tokens out of its errors", async () => {
    const { session, provider, startLogin } = setup();
    const { accessToken } = await startLogin();
    const api = axiosOver(session, BASE_URL);
    provider.misbehave({ path: "/v1/user", status: 403, times: 1 });
    const refused = await api.get("/v1/user").catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: "AxiosError", response: { status: 403 } });
    expect(JSON.stringify(refused)).not.toContain(accessToken);
    await session.logout();
    await expect(api.get("/v1/user")).rejects.toMatchObject({ code: "no-session" });
  });

  it("aborts with its signal, and when the session ends", async () => {
    const { session, provider, startLogin } = setup();
    await startLogin();
    const api = axiosOver(session, BASE_URL);
    provider.misbehave({ path: "/v1/user", delay: "forever", times: 2 });
    const controller = new AbortController();
    const aborted = api.get("/v1/user", { signal: controller.signal });
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: "ERR_CANCELED" });
    const ended = expect(api.get("/v1/user")).rejects.toMatchObject({ code: "session-ended" });
    await new Promise(setImmediate);
    await session.logout();
    await ended;
    expect(provider.requests.at(-1)?.path).toBe(LOGOUT);
  });
});

it("serves the whole API through MSW to an application that has only its own fetch", async () => {
  const sandbox = createSandbox();
  const server = setupServer(http.all(`${BASE_URL}/*`, ({ request }) => sandbox.fetch(request)));
  server.listen({ onUnhandledRequest: "error" });
  try {
    const session = createSession({ baseUrl: BASE_URL, clientKey: sandbox.clientKey });
    await session.start({ ...sandbox.login(), grant: "login" });
    expect((await session.client.GET("/v1/user")).data?.id).toBe(sandbox.user.id);
    expect(await session.end()).toMatchObject({ server: "confirmed", local: "cleared" });
  } finally {
    server.close();
  }
});
