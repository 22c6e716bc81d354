/** The recipe of a login: each answer of the API has its own outcome, and codes are sent only on request. */
import { expect, it, onTestFinished, vi } from "vitest";
import { type Credentials, logIn } from "../examples/page/log-in.ts";
import {
  createSandboxApp,
  type Fault,
  type SandboxApp,
  type SandboxOptions,
} from "../src/sandbox/sandbox.ts";
import { reopen, serve } from "./support.ts";

const LOGIN = "/v1/auth/login";
const OTP = "/v1/auth/login/otp";
const code = "123456";
const signedIn = { outcome: "signed-in", local: "memory" };

/** Starts a sandbox on a port with one user, and the recipe for it. */
async function open(account: Parameters<SandboxApp["addUser"]>[0] = {}, options: SandboxOptions = {}) {
  const provider = createSandboxApp(options);
  const { url } = await serve(provider);
  const api = { baseUrl: url, clientKey: provider.clientKey };
  const { session } = await reopen({ ...api, fetch: globalThis.fetch }, provider);
  const { id, email, password } = provider.addUser(account);
  const run = (more: Partial<Credentials> = {}) => logIn(api, session, { email, password, ...more });
  const paths = () => provider.requests.map(({ path }) => path);
  return { provider, session, id, run, paths };
}

it("signs a user in with a password alone", async () => {
  const { provider, session, run } = await open();
  expect(await run()).toEqual(signedIn);
  expect(session.state).toBe("active");
  expect((await session.end()).server).toBe("confirmed");
  expect(provider.sentCodes).toEqual([]);
});

it("requests a code, and signs in with it", async () => {
  const { provider, session, id, run } = await open({ otpCode: code });
  const phoneNumber = "+44******123";
  expect(await run()).toEqual({ outcome: "code-sent", asksForCode: true, phoneNumber });
  expect(session.state).toBe("signed-out");
  expect(provider.sentCodes).toMatchObject([{ userId: id, otpCode: code }]);
  expect(await run({ otpCode: code })).toEqual(signedIn);
  expect(provider.sentCodes).toHaveLength(1);
});

it("signs in with the code of an authenticator app, once", async () => {
  const { provider, id, run } = await open({ totp: "GEZDGNBVGY3TQOJQ" });
  expect(await run()).toMatchObject({ outcome: "code-sent" });
  const otpCode = provider.oneTimePassword(id);
  expect(await run({ otpCode })).toEqual(signedIn);
  expect(await run({ otpCode })).toEqual({ outcome: "code-refused", asksForCode: true });
});

it.each(["challenge", 401, 400] as const)(
  "reports a refused code and does not send another, if a wrong code is answered with %s",
  async (wrongOtp) => {
    const { run, paths } = await open({ otpCode: code }, { wrongOtp });
    await run();
    for (const otpCode of ["000000", "12345"])
      expect(await run({ otpCode })).toEqual({ outcome: "code-refused", asksForCode: true });
    expect(paths()).toEqual([LOGIN, OTP, LOGIN, LOGIN]);
    expect(await run({ otpCode: code })).toEqual(signedIn);
  },
);

it("names the missing step of the registration, and does not send a code even if the user needs one", async () => {
  const { run, paths } = await open({ phase: "PHONE_NUMBER", otpCode: code });
  expect(await run()).toEqual({ outcome: "registration-incomplete", phase: "PHONE_NUMBER" });
  expect(paths()).toEqual([LOGIN]);
});

it("distinguishes locked and disabled users from wrong credentials, also with a code", async () => {
  for (const otpCode of [undefined, code]) {
    const more = otpCode ? { otpCode } : {};
    expect(await (await open({ ...more, isLocked: true })).run(more)).toEqual({ outcome: "locked" });
    expect(await (await open({ ...more, isDisabled: true })).run(more)).toEqual({ outcome: "disabled" });
    const { run, session } = await open(more);
    expect(await run({ ...more, password: "wrong" })).toEqual({ outcome: "refused" });
    expect(session.state).toBe("signed-out");
  }
});

it.each<{ fault: Fault; outcome: string }>([
  { fault: { status: 403, body: '{"message":"Forbidden"}' }, outcome: "refused" },
  { fault: { status: 404, body: "<pre>Cannot POST</pre>" }, outcome: "refused" },
  { fault: { status: 422, body: '{"message":"type field is required"}' }, outcome: "refused" },
  { fault: { status: 401, body: '{"error":{"message":"Account locked for an hour"}}' }, outcome: "locked" },
  { fault: { status: 403, body: '{"message":"This account has been disabled."}' }, outcome: "disabled" },
  { fault: { status: 401, body: '{"message":"Your card is blocked"}' }, outcome: "refused" },
  { fault: { status: 498 }, outcome: "unavailable" },
  { fault: { status: 500, body: '{"message":"The account has been disabled"}' }, outcome: "unavailable" },
  { fault: { status: 200, body: "<html>Maintenance</html>" }, outcome: "unavailable" },
  { fault: { status: 200, body: '{"accessToken":"null"}' }, outcome: "unavailable" },
  { fault: { status: 200, body: '{"isOtpRequired":true}' }, outcome: "unavailable" },
  { fault: { status: 200, body: "null" }, outcome: "unavailable" },
  { fault: { drop: true }, outcome: "unavailable" },
])("reports $outcome for $fault of the login", async ({ fault, outcome }) => {
  const { provider, run, session } = await open();
  provider.misbehave({ ...fault, path: LOGIN });
  expect(await run()).toEqual({ outcome });
  expect(session.state).toBe("signed-out");
});

it.each<{ fault: Fault }>([
  { fault: { status: 200, body: '{"success":false}' } },
  { fault: { status: 200, body: "<html>Maintenance</html>" } },
  { fault: { status: 500 } },
  { fault: { drop: true } },
])(
  "reports no sent code for $fault, and still accepts the code of an authenticator app",
  async ({ fault }) => {
    const { provider, id, run } = await open({ totp: "GEZDGNBVGY3TQOJQ" });
    provider.misbehave({ ...fault, path: OTP });
    expect(await run()).toEqual({ outcome: "unavailable", asksForCode: true });
    expect(await run({ otpCode: provider.oneTimePassword(id) })).toEqual(signedIn);
  },
);

it("reports the end of a rate limit of logins, and a rate limit of codes", async () => {
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2025, 0, 1) });
  const { provider, run } = await open({ otpCode: code });
  const until = new Date(Date.UTC(2025, 0, 1, 0, 0, 60));
  for (let call = 0; call < 5; call += 1) expect(await run()).toMatchObject({ outcome: "code-sent" });
  expect(await run()).toEqual({ outcome: "rate-limited", until, asksForCode: true });
  expect(await run({ otpCode: code })).toEqual(signedIn);

  for (const [header, time] of [
    ["60", until],
    ["Wed, 01 Jan 2025 00:01:00 GMT", until],
    ["soon", undefined],
    ["", undefined],
  ] as const) {
    provider.misbehave({ path: LOGIN, status: 429, headers: { "retry-after": header }, times: 1 });
    expect(await run()).toEqual({ outcome: "rate-limited", ...(time && { until: time }) });
  }
});
