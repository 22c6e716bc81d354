/** The recipe of an OAuth sign-in: its page and its server, each over real HTTP, with the sandbox as the API. */
import { describe, expect, it } from "vitest";
import { beginSignIn, finishSignIn, renewBy } from "../examples/oauth/browser.ts";
import { createTokenHandler, type TokenSettings } from "../examples/oauth/server.ts";
import { createSandboxApp, type Fault } from "../src/sandbox/sandbox.ts";
import { reopen, serve, storageOf, TOKEN } from "./support.ts";

/** The sandbox, the server of the application and its page, with a session that renews through them. */
async function open(more: Partial<TokenSettings> = {}, renewUrl?: string) {
  const provider = createSandboxApp();
  const { url: baseUrl } = await serve(provider);
  const { clientKey } = provider;
  const handler = createTokenHandler({ baseUrl, clientKey, ...more });
  const { url: tokensUrl } = await serve({ app: { fetch: (request) => handler(request) } });
  const settings = {
    authorizeUrl: "https://authorize.test/page?locale=en",
    clientKey,
    redirectUri: "https://app.test/callback",
    tokensUrl,
  };
  const api = { baseUrl, clientKey, fetch: globalThis.fetch };
  const { session, events } = await reopen(
    { ...api, renew: renewBy(renewUrl ?? tokensUrl), retries: 0 },
    provider,
  );
  const kept = new Map<string, string>();
  const page = storageOf(kept);

  /** The steps in the browser: the user agrees on the authorization page, which redirects with a code. */
  async function redirect() {
    const { searchParams } = new URL(await beginSignIn(settings, page));
    const codeChallenge = searchParams.get("code_challenge") ?? "";
    const code = provider.grantCode({ codeChallenge, redirectUri: searchParams.get("redirect_uri") ?? "" });
    return `${settings.redirectUri}?code=${code}&state=${searchParams.get("state")}`;
  }
  const finish = (address: string) => finishSignIn(settings, session, address, page);
  const renewals = () => provider.requests.filter(({ path }) => path === TOKEN).length;
  return { provider, settings, session, events, kept, page, redirect, finish, renewals, tokensUrl };
}

describe("the sign-in", () => {
  it("sends the user to the authorization page with PKCE and a state of its own", async () => {
    const { settings, page } = await open();
    const [first, second] = [await beginSignIn(settings, page), await beginSignIn(settings, page)];
    const { origin, searchParams } = new URL(second);
    expect(origin).toBe("https://authorize.test");
    expect(Object.fromEntries(searchParams)).toEqual({
      locale: "en",
      response_type: "code",
      client_id: settings.clientKey,
      redirect_uri: settings.redirectUri,
      state: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: "S256",
    });
    expect(new URL(first).searchParams.get("state")).not.toBe(searchParams.get("state"));
  });

  it("exchanges the code and starts a session of the user, which a revocation ends", async () => {
    const { provider, session, kept, redirect, finish } = await open();
    expect(await finish(await redirect())).toBe("signed-in");
    expect((await session.client.GET("/v1/user")).data?.id).toBe(provider.user.id);
    expect([...kept]).toEqual([]);
    expect(await session.end()).toMatchObject({ endpoint: "revoke", server: "confirmed", local: "cleared" });
  });

  it("completes also if the user cannot be read", async () => {
    const { provider, session, redirect, finish } = await open();
    provider.misbehave({ path: "/v1/user", status: 503, times: 1 });
    expect(await finish(await redirect())).toBe("signed-in");
    expect(session.state).toBe("active");
  });

  it("finishes once, and only in the tab that began it", async () => {
    const { session, kept, redirect, finish, renewals } = await open();
    const address = await redirect();
    const entries = [...kept];
    expect(await finish(address.replace(/state=.*/, "state=another"))).toBe("not-ours");
    for (const entry of entries) kept.set(...entry);
    expect(await finish(address)).toBe("signed-in");
    expect(await finish(address)).toBe("not-ours");
    expect(renewals()).toBe(1);
    expect(session.state).toBe("active");
  });

  it("refuses a user who did not agree, and a used code", async () => {
    const { session, kept, redirect, finish } = await open();
    const denied = (await redirect()).replace(/code=[^&]*/, "error=access_denied");
    expect(await finish(denied)).toBe("refused");

    const address = await redirect();
    const entries = [...kept];
    await finish(address);
    await session.end();
    for (const entry of entries) kept.set(...entry);
    expect(await finish(address)).toBe("refused");
    expect(session.state).toBe("signed-out");
  });

  it.each<Fault>([
    { status: 503 },
    { drop: true },
    { status: 200, body: "<html>" },
    { status: 200, body: "{}" },
  ])("is unavailable at %o of the token endpoint", async (fault) => {
    const { provider, session, redirect, finish } = await open();
    provider.misbehave({ ...fault, path: TOKEN });
    expect(await finish(await redirect())).toBe("unavailable");
    expect(session.state).toBe("signed-out");
  });
});

describe("a renewal", () => {
  /** A signed-in user whose access token has expired. */
  async function openExpired(more: Partial<TokenSettings> = {}, renewUrl?: string) {
    const world = await open(more, renewUrl);
    const { accessToken, refreshToken, userId } = world.provider.authorize();
    await world.session.start({ accessToken, refreshToken, userId, grant: "oauth" });
    world.provider.expire(accessToken);
    const read = () => world.session.client.GET("/v1/user").catch(() => undefined);
    return { ...world, refreshToken, read };
  }

  it("rotates the refresh token, each time with the one before", async () => {
    const { provider, session, read, refreshToken } = await openExpired();
    expect((await read())?.response.status).toBe(200);
    expect(provider.isAlive(refreshToken)).toBe(false);
    const { authorization = "" } = provider.requests.at(-1) ?? {};
    provider.expire(authorization.replace("Bearer ", ""));
    expect((await read())?.response.status).toBe(200);
    expect(await session.end()).toMatchObject({ server: "confirmed", local: "cleared" });
  });

  it.each([undefined, "demo-secret-key", "demo-client-key"])("accepts the secret %j", async (secretKey) => {
    const { read } = await openExpired(secretKey ? { secretKey } : {});
    expect((await read())?.response.status).toBe(200);
  });

  it.each([
    { status: 400, body: '{"error":"invalid_grant"}' },
    { status: 401, body: '{"message":"Not authenticated"}' },
    { status: 403, body: "" },
  ])("ends the session if the API refuses it with $status $body", async (fault) => {
    const { provider, session, events, read } = await openExpired();
    provider.misbehave({ ...fault, path: TOKEN });
    await read();
    expect(session.state).toBe("signed-out");
    expect(events).toContainEqual(expect.objectContaining({ type: "signed-out", reason: "unauthorized" }));
  });

  it.each<Fault & { why: string }>([
    { why: "no answer", drop: true },
    { why: "500", status: 500 },
    { why: "503 as HTML", status: 503, body: "<html></html>" },
    { why: "429", status: 429 },
    { why: "a success without a token", status: 200, body: "{}" },
    { why: "a refused secret of the server", status: 401, body: '{"error":"invalid_client"}' },
    { why: "a gateway", status: 401, body: "", headers: { "www-authenticate": 'Basic realm="proxy"' } },
  ])("keeps the session if it is inconclusive: $why", async ({ why: _, ...fault }) => {
    const { provider, session, read } = await openExpired();
    const undo = provider.misbehave({ ...fault, path: TOKEN });
    await read();
    expect(session.state).toBe("active");
    undo();
    expect((await read())?.response.status).toBe(200);
  });

  it("leaves the session if the server of the application cannot be reached", async () => {
    const { session, events, read } = await openExpired({}, "http://127.0.0.1:9");
    await read();
    expect(events.at(-1)?.type).toBe("renew-failed");
    expect(session.state).toBe("active");
  });

  it("does not treat the 401 of a proxy as a refusal", async () => {
    const gateway = await serve({ app: { fetch: () => Response.json({ error: "sso" }, { status: 401 }) } });
    const tokens = { accessToken: "example-access", refreshToken: "example-refresh" };
    const { signal } = new AbortController();
    await expect(async () => renewBy(gateway.url)(tokens, { signal })).rejects.toThrow("status 401");
  });
});

it("answers 400 to a body that is neither exchange, without a request to the API", async () => {
  const { tokensUrl, provider } = await open();
  for (const body of [
    "",
    "{",
    "null",
    "[]",
    "{}",
    '{"code":"c"}',
    '{"refreshToken":7}',
    '{"refreshToken":""}',
  ]) {
    const response = await fetch(tokensUrl, { method: "POST", body });
    expect([response.status, response.headers.get("cache-control")]).toEqual([400, "no-store"]);
  }
  expect(provider.requests).toEqual([]);
});
