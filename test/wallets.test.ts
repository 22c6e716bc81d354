/**
 * Conformance of the sandbox to real clients: the flows of three wallets run against it over HTTP and end as they do in
 * production. What a wallet does wrong at sign-out goes wrong here, too.
 */
import { afterEach, describe, expect, it } from "vitest";
import { createSandboxApp, type SandboxOptions } from "../src/sandbox/sandbox.ts";
import { type RunningServer, startServer } from "../src/sandbox/server.ts";
import { walletA, walletB, walletC } from "./wallets.ts";

const servers: RunningServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function open(options: SandboxOptions = {}) {
  const provider = createSandboxApp(options);
  const running = await startServer(provider);
  servers.push(running);
  return { provider, server: { baseUrl: running.url, clientKey: provider.clientKey } };
}

const wallets = [
  { name: "wallet A", create: walletA, wrongOtp: 400 },
  { name: "wallet B", create: walletB, wrongOtp: "challenge" },
  { name: "wallet C", create: walletC, wrongOtp: 401 },
] as const;

describe.each(wallets)("the login of $name", ({ create, wrongOtp }) => {
  it("completes with a password, whatever the case of the address", async () => {
    const { provider, server } = await open();
    const { email, password } = provider.addUser({ email: "Grace@example.com" });
    const wallet = create(server);
    expect(await wallet.logIn(email.toUpperCase(), password)).toBe("signed in");
    expect(await wallet.logIn(email, "wrong")).toBe("wrong credentials");
  });

  it("asks for a code, tells a wrong one, and is complete with the right one", async () => {
    const { provider, server } = await open({ wrongOtp });
    const { email, password } = provider.addUser({ otpCode: "123456" });
    const wallet = create(server);
    expect(await wallet.logIn(email, password)).toBe("code");
    expect(provider.sentCodes).toHaveLength(1);
    expect(await wallet.logIn(email, password, "000000")).toBe("wrong code");
    expect(await wallet.logIn(email, password, "123456")).toBe("signed in");
  });

  it("completes with the code of an authenticator app", async () => {
    const { provider, server } = await open({ wrongOtp });
    const { id, email, password } = provider.addUser({ totp: "GEZDGNBVGY3TQOJQ" });
    const wallet = create(server);
    expect(await wallet.logIn(email, password)).toBe("code");
    const code = provider.oneTimePassword(id);
    expect(await wallet.logIn(email, password, code)).toBe("signed in");
    expect(await wallet.logIn(email, password, code)).toBe("wrong code");
  });

  it("goes on with the missing step of the registration", async () => {
    const { provider, server } = await open();
    const { email, password } = provider.addUser({ phase: "MAILING_ADDRESS", otpCode: "123456" });
    expect(await create(server).logIn(email, password)).toBe("step MAILING_ADDRESS");
    expect(provider.sentCodes).toEqual([]);
  });
});

it("wallet A tells locked and disabled users from wrong credentials", async () => {
  const { provider, server } = await open();
  const [locked, disabled] = [provider.addUser({ isLocked: true }), provider.addUser({ isDisabled: true })];
  expect(await walletA(server).logIn(locked.email, locked.password)).toBe("locked");
  expect(await walletA(server).logIn(disabled.email, disabled.password)).toBe("disabled");
  expect(await walletC(server).logIn(locked.email, locked.password)).toBe("wrong credentials");
});

it.each([false, true])("wallet B stays in its region, US: %s", async (isUs) => {
  const { provider, server } = await open();
  const { email, password, id } = provider.user;
  const [wallet, other] = [walletB(server, isUs), walletB(server, !isUs)];
  await wallet.logIn(email, password);
  expect(await wallet.user()).toMatchObject({ status: 200, body: { id, email } });
  other.adopt({ access: wallet.held().access ?? "" });
  expect((await other.user()).status).toBe(401);
});

describe("the renewal", () => {
  it("follows a code exchange in wallet A, with the client key as the secret", async () => {
    const { provider, server } = await open();
    const wallet = walletA(server);
    await wallet.logIn(provider.user.email, provider.user.password);
    expect(await wallet.authorize((codeChallenge) => provider.grantCode({ codeChallenge }))).toBe(true);
    const { refresh = "" } = wallet.held();
    expect(await wallet.renew()).toBe(true);
    expect(provider.isAlive(refresh)).toBe(false);
    expect((await wallet.user()).status).toBe(200);
  });

  it("needs no secret in wallets B and C", async () => {
    const { provider, server } = await open();
    for (const wallet of [walletB(server), walletC(server)]) {
      const { accessToken, refreshToken } = provider.authorize();
      wallet.adopt({ access: accessToken, refresh: refreshToken });
      expect(await wallet.renew()).toBeTruthy();
      expect((await wallet.user()).status).toBe(200);
    }
  });

  it("fails in wallet C for a used refresh token, and is unknown after a 5xx", async () => {
    const { provider, server } = await open();
    const wallet = walletC(server);
    const { accessToken: access, refreshToken: refresh } = provider.authorize();
    wallet.adopt({ access, refresh });
    provider.misbehave({ path: "/v1/auth/oauth/token", status: 503, times: 1 });
    expect(await wallet.renew()).toBe("unknown");
    expect(await wallet.renew()).toBe("renewed");
    wallet.adopt({ access, refresh });
    expect(await wallet.renew()).toBe("refused");
  });
});

describe("the sign-out", () => {
  it("ends one access token in wallet A, and leaves the refresh token and the login beside it alive", async () => {
    const { provider, server } = await open();
    const wallet = walletA(server);
    await wallet.logIn(provider.user.email, provider.user.password);
    await wallet.authorize((codeChallenge) => provider.grantCode({ codeChallenge }));
    const { access = "", refresh = "", login = "" } = wallet.held();
    await wallet.signOut();
    expect([access, refresh, login].map(provider.isAlive)).toEqual([false, true, true]);
    expect(wallet.held().access).toBeUndefined();
  });

  it("sends an empty object in wallet B, also without a token, which is refused", async () => {
    const { provider, server } = await open();
    const wallet = walletB(server);
    await wallet.logIn(provider.user.email, provider.user.password);
    const { access = "" } = wallet.held();
    await wallet.signOut();
    await wallet.signOut();
    expect(provider.isAlive(access)).toBe(false);
    const statuses = provider.requests
      .filter(({ path }) => path.endsWith("/logout"))
      .map((one) => one.status);
    expect(statuses).toEqual([200, 401]);
  });

  it("ignores a late renewal in wallet B, and leaves its tokens alive on the server", async () => {
    const { provider, server } = await open();
    const wallet = walletB(server);
    const { id, accessToken: access, refreshToken: refresh } = provider.authorize();
    wallet.adopt({ access, refresh });
    const renewal = wallet.renew();
    await wallet.signOut();
    expect(await renewal).toBe(false);
    expect(wallet.held()).toEqual({});
    expect([access, refresh].map(provider.isAlive)).toEqual([false, false]);
    // The authorization has further tokens, which nobody ends.
    expect(() => provider.addAccessToken(id)).not.toThrow();
  });

  it("leaves every token alive in wallet C", async () => {
    const { provider, server } = await open();
    const wallet = walletC(server);
    const { accessToken: access, refreshToken: refresh } = provider.authorize();
    wallet.adopt({ access, refresh });
    await wallet.signOut();
    expect([access, refresh].map(provider.isAlive)).toEqual([true, true]);
    expect(provider.requests).toEqual([]);
  });

  it.each([{ status: 500 }, { drop: true } as const])(
    "of wallets A and B is complete on the device at %o, though the token lives on",
    async (fault) => {
      const { provider, server } = await open();
      provider.misbehave({ ...fault, path: "/v1/auth/logout" });
      for (const wallet of [walletA(server), walletB(server)]) {
        await wallet.logIn(provider.user.email, provider.user.password);
        const { access = "", login = access } = { login: undefined, access: undefined, ...wallet.held() };
        await wallet.signOut();
        expect(wallet.held().access).toBeUndefined();
        expect(provider.isAlive(login)).toBe(true);
      }
    },
  );
});
