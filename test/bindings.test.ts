/** The typed client over real HTTP: what its calls resolve to, whatever the server answers. */
import { inspect } from "node:util";
import type { Client } from "openapi-fetch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBindings, createSession, type paths, SessionError } from "../src/index.ts";
import { createSandboxApp, type Fault } from "../src/sandbox/sandbox.ts";
import { type RunningServer, startServer } from "../src/sandbox/server.ts";

const provider = createSandboxApp();
const { clientKey } = provider;
const { email, password } = provider.user;
const credentials = { body: { email, password } };
let server: RunningServer;
let bindings: Client<paths>;

beforeAll(async () => {
  server = await startServer(provider);
  bindings = createBindings({ baseUrl: server.url, clientKey });
});
afterAll(() => server.close());

const secret = "US_b6b9168a-example-secret-token";
const broken: (Fault & { name: string })[] = [
  { name: "HTML", body: `<html>${secret}</html>` },
  { name: "JSON that ends too early", body: `{"accessToken":"${secret}` },
  { name: "JSON without quotes", body: `{accessToken:${secret}}` },
  { name: "a bare token", body: secret },
];

describe.each(broken)("a success whose body is $name", ({ name: _, ...fault }) => {
  const calls: Record<string, () => Promise<{ data?: unknown; error?: unknown; response: Response }>> = {
    "POST of a login": () => bindings.POST("/v1/auth/login", credentials),
    "request of a login": () => bindings.request("post", "/v1/auth/login", credentials),
    GET: () => bindings.GET("/v1/user"),
    DELETE: () => bindings.DELETE("/v1/auth/oauth/revoke", { parseAs: "json" }),
  };

  it.each(Object.keys(calls))("resolves %s to an error that quotes nothing", async (name) => {
    provider.misbehave({ ...fault, status: 200, times: 1 });
    const result = await calls[name]?.();
    expect(result?.data).toBeUndefined();
    expect(result?.error).toBeInstanceOf(SessionError);
    expect(result?.error).toMatchObject({ code: "unexpected-response", status: 200 });
    expect(result?.response.ok).toBe(true);
    const printed = [inspect(result?.error, { depth: 9, showHidden: true }), JSON.stringify(result?.error)];
    for (let at = 0; at + 8 <= secret.length; at++)
      expect(printed.join()).not.toContain(secret.slice(at, at + 8));
  });

  it("resolves a call of a session in the same way", async () => {
    const session = createSession({ baseUrl: server.url, clientKey });
    await session.start({ ...provider.login(), grant: "login" });
    provider.misbehave({ ...fault, status: 200, times: 1 });
    const { data, error } = await session.client.GET("/v1/user");
    expect(data).toBeUndefined();
    expect(error).toMatchObject({ name: "SessionError", code: "unexpected-response" });
    expect(session.state).toBe("active");
  });

  it("hands over the text if the caller asks for it", async () => {
    provider.misbehave({ ...fault, status: 200, times: 1 });
    const { data } = await bindings.GET("/v1/user", { parseAs: "text" });
    expect(data).toBe(fault.body);
  });
});

it("reads a login, an error and an empty body as before", async () => {
  const login = await bindings.POST("/v1/auth/login", credentials);
  expect(login.data?.userId).toBe(provider.user.id);
  expect(login).not.toHaveProperty("error");

  const refused = await bindings.POST("/v1/auth/login", { body: { email, password: "wrong" } });
  expect(refused.error).toEqual({ message: "Invalid credentials" });
  expect(refused.data).toBeUndefined();

  provider.misbehave({ status: 500, body: "<h1>Bad gateway</h1>", times: 1 });
  expect((await bindings.GET("/v1/user")).error).toBe("<h1>Bad gateway</h1>");

  for (const status of [200, 204]) {
    provider.misbehave({ status, body: "", times: 1 });
    const empty = await bindings.GET("/v1/user");
    expect([empty.data, empty.error, empty.response.status]).toEqual([undefined, undefined, status]);
  }
});

it("reads the response that a middleware returned", async () => {
  const own = createBindings({ baseUrl: server.url, clientKey });
  own.use({ onResponse: () => Response.json({ id: "from-the-middleware" }) });
  expect((await own.GET("/v1/user")).data).toEqual({ id: "from-the-middleware" });
});

it("rejects as fetch does if the body breaks off", async () => {
  provider.misbehave({ path: "/v1/auth/login", truncate: 5, times: 1 });
  await expect(bindings.POST("/v1/auth/login", credentials)).rejects.toThrow(TypeError);
});
