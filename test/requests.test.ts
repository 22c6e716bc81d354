/** Data calls: the typed client, the credentials and their destinations, the fence, and the meaning of a 401. */
import { describe, expect, it, vi } from "vitest";
import { createBindings, createSession, memoryStore } from "../src/index.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import { BASE_URL, recordOf, recordsIn, serve, setup, stubGlobals } from "./support.ts";

const USER = `${BASE_URL}/v1/user`;

describe("session.client and session.fetch", () => {
  it("send the client key, the token and the region with each call", async () => {
    const { provider, session } = setup();
    const { accessToken } = provider.login(undefined, "us");
    await session.start({ accessToken, grant: "login", region: "us" });
    const { data } = await session.client.GET("/v1/user");
    expect(data?.id).toBe(provider.user.id);
    await session.fetch(USER);
    await session.fetch(new URL(USER), { headers: { "x-us-env": "false", authorization: "Bearer other" } });
    expect(provider.requests).toHaveLength(3);
    const { clientKey } = provider;
    for (const request of provider.requests)
      expect(request).toMatchObject({
        authorization: `Bearer ${accessToken}`,
        clientKey,
        region: "us",
        status: 200,
      });
  });

  it("use the region of the token, not the call's", async () => {
    const { provider, session } = setup({ region: "us" });
    const { accessToken } = provider.login();
    await session.start({ accessToken, grant: "login", region: "international" });
    await session.client.GET("/v1/user", { headers: { "x-us-env": "true" } });
    expect(provider.requests[0]).toMatchObject({ region: "international", status: 200 });
  });

  it("leave the caller's request unchanged", async () => {
    const { session, startLogin } = setup();
    await startLogin();
    const request = new Request(USER);
    await session.fetch(request);
    expect([...request.headers]).toEqual([]);
  });

  it("carry the body, the method and the headers of a request", async () => {
    const { provider, session, startLogin } = setup();
    await startLogin();
    let body = "";
    provider.misbehave({
      method: "PUT",
      status: 200,
      body: async (request) => {
        body = `${request.headers.get("x-own")} ${await request.text()}`;
        return "{}";
      },
    });
    await session.fetch(
      new Request(USER, { method: "PUT", body: "some text", headers: { "x-own": "kept" } }),
    );
    expect(body).toBe("kept some text");
  });

  it("reject without a session, and after it has ended", async () => {
    const { provider, session, startLogin } = setup();
    await expect(session.client.GET("/v1/user")).rejects.toMatchObject({ code: "no-session" });
    await startLogin();
    const ending = session.logout();
    await expect(session.fetch(USER)).rejects.toMatchObject({
      code: "no-session",
      message: expect.stringMatching(
        /^no-session: nobody is signed in, the session ended at 20.*: call start\(\)/,
      ),
    });
    await ending;
    expect(provider.requests).toHaveLength(1);
  });

  it("resolve a relative URL against baseUrl, its path included, and no further", async () => {
    const urls: string[] = [];
    const { provider, session } = setup({
      baseUrl: `${BASE_URL}/api/`,
      fetch: async (input) => {
        urls.push(input instanceof Request ? input.url : String(input));
        return new Response();
      },
    });
    await session.start({ ...provider.login(), grant: "login" });
    for (const url of ["/v1/user", "v1/user", "//elsewhere.example/v1/user"]) await session.fetch(url);
    expect(urls).toEqual([
      `${BASE_URL}/api/v1/user`,
      `${BASE_URL}/api/v1/user`,
      `${BASE_URL}/api//elsewhere.example/v1/user`,
    ]);
  });

  it("abort requests in flight, and their connections, when the session ends", async () => {
    const signals: (AbortSignal | null | undefined)[] = [];
    const { session, startLogin } = setup({
      fetch: (_, init) => {
        signals.push(init?.signal);
        return new Promise(() => {});
      },
    });
    await startLogin();
    const asked = [session.client.GET("/v1/user"), session.fetch(USER)];
    await vi.waitFor(() => expect(signals).toHaveLength(2));
    session.logout({ signal: AbortSignal.abort() });
    for (const call of asked) await expect(call).rejects.toMatchObject({ code: "session-ended" });
    expect(signals.slice(0, 2).map((signal) => signal?.aborted)).toEqual([true, true]);
  });

  it.each([-1, 0, 1])("deliver nothing when it ends %i microtasks after the answer", async (ticks) => {
    const { session, startLogin } = setup({
      fetch: (input) => {
        const answer = Promise.resolve(Response.json({ success: true }));
        if (new Request(input).url !== USER) return answer;
        if (ticks < 0) session.logout();
        let tick: Promise<unknown> = answer;
        for (let index = 0; index < ticks; index++) tick = tick.then(() => {});
        tick.then(() => session.logout());
        return answer;
      },
    });
    await startLogin();
    await expect(session.fetch(USER)).rejects.toMatchObject({ code: "session-ended" });
  });

  it("abort requests in flight when another session replaces theirs", async () => {
    const { provider, session, startLogin } = setup();
    await startLogin();
    const undo = provider.misbehave({ path: "/v1/user", delay: "forever" });
    const asked = session.client.GET("/v1/user");
    await startLogin();
    await expect(asked).rejects.toMatchObject({ code: "session-ended" });
    undo();
    expect((await session.client.GET("/v1/user")).response.status).toBe(200);
  });

  it("reject with the reason of the caller's own signal", async () => {
    const { provider, session, startLogin } = setup();
    await startLogin();
    provider.misbehave({ delay: "forever" });
    const caller = new AbortController();
    const asked = session.client.GET("/v1/user", { signal: caller.signal });
    const direct = session.fetch(USER, { signal: caller.signal });
    const reason = new Error("changed my mind");
    caller.abort(reason);
    await expect(asked).rejects.toBe(reason);
    await expect(direct).rejects.toBe(reason);
    await expect(session.fetch(USER, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("leave no listener on a signal that a request shares with its caller, as in React Native", async () => {
    const { signal } = new AbortController();
    class SharingRequest extends Request {
      override get signal() {
        return signal;
      }
    }
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    const { session, startLogin } = setup({ fetch: async () => new Response(null) });
    await startLogin();
    await session.fetch(new SharingRequest(USER));
    expect(added).toHaveBeenCalledTimes(1);
    expect(removed.mock.calls).toEqual([added.mock.calls[0]]);
  });

  it("copy a body only if it may be sent again", async () => {
    const clone = vi.spyOn(Request.prototype, "clone");
    const provider = createSandboxApp();
    for (const renew of [undefined, async () => null]) {
      const { session, startLogin } = setup({ renew }, provider);
      await startLogin();
      await session.fetch(USER);
      await session.fetch(USER, { method: "HEAD" });
      if (!renew) await session.fetch(USER, { method: "POST", body: "{}" });
    }
    expect(clone).not.toHaveBeenCalled();
    clone.mockRestore();
  });

  it("work without a signal if the runtime's requests lack one", async () => {
    class OldRequest extends Request {
      override get signal() {
        return undefined as unknown as AbortSignal;
      }
    }
    const { provider, session, startLogin } = setup();
    await startLogin();
    expect((await session.fetch(new OldRequest(USER))).status).toBe(200);
    provider.misbehave({ path: "/v1/user", delay: "forever" });
    const asked = session.fetch(new OldRequest(USER));
    session.logout();
    await expect(asked).rejects.toMatchObject({ code: "session-ended" });
  });

  it("pass on the exceptions of fetch", async () => {
    const { provider, session, startLogin } = setup();
    await startLogin();
    provider.misbehave({ drop: true });
    await expect(session.client.GET("/v1/user")).rejects.toThrow(TypeError);
    await expect(session.fetch("/relative")).rejects.toThrow(TypeError);
  });

  it("read no more than 64 KiB of an error, and all of a success", async () => {
    const { provider, session, startLogin } = setup();
    await startLogin();
    const body = "x".repeat(100_000);
    provider.misbehave({ status: 500, body, times: 1, headers: { "x-request-id": "r-1" } });
    const failed = await session.fetch(USER);
    expect(failed).toMatchObject({ status: 500, ok: false });
    expect(failed.headers.get("x-request-id")).toBe("r-1");
    const real = Object.defineProperty(new Response("no", { status: 400 }), "url", { value: USER });
    const other = setup({ fetch: async () => real });
    await other.startLogin();
    expect((await other.session.fetch(USER)).url).toBe(USER);
    expect(await failed.text()).toHaveLength(65_536);
    provider.misbehave({ status: 200, body });
    expect(await (await session.fetch(USER)).text()).toHaveLength(100_000);
  });

  it("return an error whose body breaks off, and leave the session alone", async () => {
    const { provider, session, startLogin } = setup();
    await startLogin();
    provider.misbehave({ path: "/v1/user", status: 403, truncate: 4 });
    const response = await session.fetch(USER);
    await expect(response.text()).rejects.toThrow(TypeError);
    expect(session.state).toBe("active");
  });

  it("return a status that the Response constructor rejects", async () => {
    const odd = Object.defineProperty(new Response("odd"), "status", { value: 999 });
    Object.defineProperty(odd, "ok", { value: false });
    const { session, startLogin } = setup({ fetch: async () => odd });
    await startLogin();
    expect((await session.fetch(USER)).status).toBe(999);
  });

  it("use the current global fetch by default", async () => {
    const provider = createSandboxApp();
    const session = createSession({ baseUrl: BASE_URL, clientKey: provider.clientKey });
    await session.start({ ...provider.login(), grant: "login" });
    stubGlobals({ fetch: provider.fetch });
    expect((await session.client.GET("/v1/user")).response.status).toBe(200);
  });
});

describe("a 401", () => {
  it("ends the session, and still reaches its caller whole", async () => {
    const store = memoryStore();
    const { provider, session, startLogin, events } = setup({ store });
    await startLogin();
    provider.misbehave({ status: 401, body: '{"message":"Not authenticated"}' });
    const { error, response } = await session.client.GET("/v1/user");
    expect(response.status).toBe(401);
    expect(error).toEqual({ message: "Not authenticated" });
    expect(session.state).toBe("signed-out");
    expect(session.pending).toBe(0);
    expect(events.at(-1)).toEqual({ type: "signed-out", reason: "unauthorized" });
    expect(await recordsIn(store)).toMatchObject({ live: [], pending: [], over: [{}] });
    expect(await session.logout()).toMatchObject({ server: "no-session" });
  });

  it("changes nothing if another token is current", async () => {
    const { provider, session, startLogin } = setup({
      // The answer of the first session arrives when the second has replaced it.
      fetch: async (input, init) => {
        const response = await provider.fetch(input, init);
        if (response.status === 401) await startLogin();
        return response;
      },
    });
    await startLogin();
    provider.misbehave({ path: "/v1/user", status: 401, times: 1 });
    await session.client.GET("/v1/user").catch(() => {});
    expect(session.state).toBe("active");
  });

  it("signs the user out once for two concurrent calls", async () => {
    const { provider, session, startLogin, events } = setup();
    await startLogin();
    provider.misbehave({ status: 401 });
    const calls = await Promise.all([session.client.GET("/v1/user"), session.client.GET("/v1/user")]);
    expect(calls.map(({ response }) => response.status)).toEqual([401, 401]);
    expect(events.filter(({ type }) => type === "signed-out")).toHaveLength(1);
  });

  it.each([403, 404, 429, 498, 499, 500])("ends the session, and %i does not", async (status) => {
    const { provider, session, startLogin } = setup();
    await startLogin();
    provider.misbehave({ status });
    await session.client.GET("/v1/user");
    expect(session.state).toBe("active");
  });
});

describe("credentials", () => {
  /** A session over TCP, and another server, which records the headers that it sees. */
  async function start(store = memoryStore()) {
    const seen: string[] = [];
    const app = {
      fetch({ headers }: Request) {
        seen.push(JSON.stringify([...headers]));
        return Response.json({});
      },
    };
    const { url: elsewhere } = await serve({ app });
    const provider = createSandboxApp();
    const { url } = await serve(provider);
    const { session, startLogin } = setup({ baseUrl: url, fetch: globalThis.fetch, store }, provider);
    return { seen, elsewhere, provider, url, session, startLogin };
  }

  it("return the redirect of WebKit: an answer without a status, with a body", async () => {
    const opaque = () =>
      Object.defineProperties(new Response(""), { status: { value: 0 }, ok: { value: false } });
    const { session, startLogin } = setup({ fetch: async () => opaque() });
    await startLogin();
    expect((await session.fetch(`${BASE_URL}/v1/user`)).status).toBe(0);
    expect(await session.logout()).toMatchObject({ error: { code: "unexpected-response", status: 0 } });
  });

  it("never follow a redirect, of a data call or of an ending", async () => {
    const { seen, elsewhere, provider, url, session, startLogin } = await start();
    await startLogin();
    for (const status of [301, 302, 303, 307, 308]) {
      const undo = provider.misbehave({ status, headers: { location: `${elsewhere}/v1/user` } });
      const { response } = await session.client.GET("/v1/user", { redirect: "follow" });
      expect(response.status).toBe(status);
      expect((await session.fetch(`${url}/v1/user`, { redirect: "follow" })).status).toBe(status);
      undo();
    }
    provider.misbehave({ status: 307, headers: { location: `${elsewhere}/v1/auth/logout` }, times: 1 });
    expect(await session.logout()).toMatchObject({ error: { code: "unexpected-response" } });
    expect(seen).toEqual([]);
  });

  it("never go to another origin through baseUrl or a request", async () => {
    const { seen, elsewhere, provider, url: baseUrl, session, startLogin } = await start();
    await startLogin();
    const { port } = new URL(baseUrl);
    await expect(session.client.GET("/v1/user", { baseUrl: elsewhere })).rejects.toMatchObject({
      code: "wrong-origin",
    });
    for (const url of [
      elsewhere,
      `${elsewhere}/v1/user`,
      `http://localhost:${port}/v1/user`,
      `https://127.0.0.1:${port}/v1/user`,
    ]) {
      await expect(session.fetch(url), url).rejects.toMatchObject({
        code: "wrong-origin",
        message: expect.stringMatching(/^wrong-origin: requests go to http/),
      });
    }
    // Addresses that only start like ours, or are invalid for fetch.
    for (const rest of ["@127.0.0.1:1/", ".example/"]) {
      await expect(session.fetch(`http://127.0.0.1:${port}${rest}`)).rejects.toThrow(TypeError);
    }
    expect(seen).toEqual([]);
    const bindings = createBindings({ baseUrl, clientKey: provider.clientKey });
    await expect(bindings.GET("/v1/user", { baseUrl: elsewhere })).rejects.toMatchObject({
      code: "wrong-origin",
    });
    expect(seen).toEqual([]);
  });

  it.each([
    "https://dev.api.baanx.com.example/v1/user",
    "https://dev.api.baanx.community/v1/user",
    "https://dev.api.baanx.com:8443/v1/user",
    "http://dev.api.baanx.com/v1/user",
    "https://api.baanx.com/v1/user",
  ])("never go to the similar address %s", async (url) => {
    const inits: unknown[] = [];
    const { session, startLogin } = setup({
      fetch: async (...call) => {
        inits.push(call);
        return new Response();
      },
    });
    await startLogin();
    await expect(session.fetch(url)).rejects.toMatchObject({ code: "wrong-origin" });
    expect(inits).toEqual([]);
  });

  it("never go to a foreign origin because of a stored record", async () => {
    const store = memoryStore();
    const { seen, elsewhere, provider, session } = await start(store);
    const { accessToken } = provider.login();
    const record = recordOf({ id: "x", origin: elsewhere, tokens: { accessToken } });
    const ending = { endpoint: "logout", since: Date.now(), attempt: 0, until: 0 };
    store.write("session.x", JSON.stringify(record));
    store.write("ended.y", JSON.stringify({ ...record, id: "y", ending }));
    const texts = await store.read();
    await session.ready();
    await session.logout();
    expect(seen).toEqual([]);
    expect(provider.requests).toEqual([]);
    expect(await store.read()).toEqual(texts);
  });

  it("stay out of a call with its own fetch", async () => {
    const { seen, elsewhere, session, startLogin } = await start();
    await startLogin();
    await session.client.GET("/v1/user", { baseUrl: elsewhere, fetch: (request: Request) => fetch(request) });
    expect(seen).toHaveLength(1);
    expect(seen[0]).not.toMatch(/authorization|x-client-key/);
  });
});

describe("createBindings", () => {
  it("logs in with the client key alone, and accepts the caller's Authorization", async () => {
    const provider = createSandboxApp();
    const bindings = createBindings({
      baseUrl: `${BASE_URL}/`,
      clientKey: provider.clientKey,
      region: "us",
      fetch: provider.fetch,
    });
    const { data } = await bindings.POST("/v1/auth/login", { body: provider.user });
    expect(data?.accessToken).toMatch(/^US_sandbox/);
    const headers = { authorization: `Bearer ${data?.accessToken}` };
    expect((await bindings.GET("/v1/user", { headers })).response.status).toBe(200);
    expect(provider.requests.map(({ region, clientKey }) => [region, clientKey])).toEqual([
      ["us", provider.clientKey],
      ["us", provider.clientKey],
    ]);
  });
});

describe("probe()", () => {
  it("distinguishes accepted from rejected tokens, and does not touch a session", async () => {
    const { provider, session, probe, startLogin } = setup();
    const { accessToken } = await startLogin();
    const other = provider.login(undefined, "us");
    expect(await probe({ accessToken })).toBe("active");
    expect(await probe({ accessToken: other.accessToken })).toBe("invalid");
    expect(await probe({ accessToken: other.accessToken, region: "us" })).toBe("active");
    expect(session.state).toBe("active");
  });

  it.each([
    [{ status: 403 }, "rejected"],
    [{ status: 429 }, "rate-limited"],
    [{ status: 498 }, "client-key-invalid"],
    [{ status: 499 }, "client-key-missing"],
    [{ status: 500 }, "server-error"],
    [{ status: 302 }, "unexpected-response"],
    [{ status: 200, body: "<p>Sign in to the Wi-Fi</p>" }, "unexpected-response"],
    [{ status: 200, body: '{"success":true}' }, "unexpected-response"],
    [{ drop: true }, "network"],
    [{ delay: "forever" }, "timeout"],
  ] as const)("rejects if the answer is inconclusive: %o", async (fault, code) => {
    const { provider, probe } = setup({ timeout: 20 });
    const { accessToken } = provider.login();
    provider.misbehave(fault);
    await expect(probe({ accessToken })).rejects.toMatchObject({ name: "SessionError", code });
    expect(provider.requests).toHaveLength(1);
  });
});
