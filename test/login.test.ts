/** A login with a one-time password, as the API documents it, from the first answer to the session. */
import { expect, it } from "vitest";
import { completedLogin, createBindings } from "../src/index.ts";
import { BASE_URL, setup } from "./support.ts";

const token = "example-access-token";

it.each([
  { name: "a token and nothing missing", data: { accessToken: token, isOtpRequired: false, phase: null } },
  { name: "a token alone", data: { accessToken: token } },
  { name: "an empty phase", data: { accessToken: token, phase: "" } },
])("$name is a login that is complete", ({ data }) => {
  expect(completedLogin(data)).toEqual({ accessToken: token, grant: "login" });
});

it("a login that is complete names its user", () => {
  const login = completedLogin({ accessToken: token, userId: "ada" });
  expect(login).toEqual({ accessToken: token, userId: "ada", grant: "login" });
});

it.each([
  { name: "no body", data: undefined },
  { name: "an empty body", data: null },
  { name: "no token", data: { userId: "ada", phase: null } },
  { name: "a token of null", data: { accessToken: null } },
  { name: "an empty token", data: { accessToken: "" } },
  { name: "a token that waits for a one-time password", data: { accessToken: token, isOtpRequired: true } },
  { name: "a token with a phase", data: { accessToken: token, isOtpRequired: false, phase: "ADDRESS" } },
])("$name is none", ({ data }) => {
  expect(completedLogin(data)).toBeUndefined();
});

it("a session begins when the one-time password is given, and not before", async () => {
  const { provider, session, probe } = setup();
  const { clientKey, fetch } = provider;
  const { id, email, password } = provider.addUser({ email: "grace@example.com", otpCode: "123456" });
  const bindings = createBindings({ baseUrl: BASE_URL, clientKey, fetch });

  const { data: first } = await bindings.POST("/v1/auth/login", { body: { email, password } });
  expect(first).toMatchObject({ isOtpRequired: true, userId: id, accessToken: expect.any(String) });
  expect(completedLogin(first)).toBeUndefined();
  // What a client that looked at the token alone would have stored.
  expect(await probe({ accessToken: first?.accessToken ?? "" })).toBe("invalid");

  const sent = await bindings.POST("/v1/auth/login/otp", { body: { userId: first?.userId ?? "" } });
  expect(sent.data).toEqual({ success: true });
  expect(provider.sentCodes).toEqual([{ userId: id, email, otpCode: "123456" }]);

  const otpCode = provider.sentCodes[0]?.otpCode ?? "";
  const { data: second } = await bindings.POST("/v1/auth/login", { body: { email, password, otpCode } });
  const login = completedLogin(second);
  expect(login).toMatchObject({ userId: id, grant: "login" });
  if (login) await session.start(login);
  expect((await session.client.GET("/v1/user")).data).toMatchObject({ id });
  expect((await session.end()).server).toBe("confirmed");
});
