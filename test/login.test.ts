/** Complete logins among the answers of the API. `log-in.test.ts` has the whole login with a one-time password. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { completedLogin } from "../src/index.ts";
import { setup } from "./support.ts";

const token = "example-access-token";

it.each([
  { name: "a token and nothing missing", data: { accessToken: token, isOtpRequired: false, phase: null } },
  { name: "a token alone", data: { accessToken: token } },
  { name: "an empty phase", data: { accessToken: token, phase: "" } },
])("accepts $name as a complete login", ({ data }) => {
  expect(completedLogin(data)).toEqual({ accessToken: token, grant: "login" });
});

it("includes the user in a complete login", () => {
  const login = completedLogin({ accessToken: token, userId: "ada" });
  expect(login).toEqual({ accessToken: token, userId: "ada", grant: "login" });
});

it.each([
  { name: "no body", data: undefined },
  { name: "an empty body", data: null },
  { name: "a body that is a string", data: token },
  { name: "no token", data: { userId: "ada", phase: null } },
  { name: "a token that waits for a one-time password", data: { accessToken: token, isOtpRequired: true } },
  { name: "a token with a phase", data: { accessToken: token, isOtpRequired: false, phase: "ACCOUNT" } },
  ...[null, "", "null", "undefined", "None", "NIL", "  ", ` ${token}`, `${token}\n`, `"${token}"`].map(
    (accessToken) => ({ name: `the token ${JSON.stringify(accessToken)}`, data: { accessToken } }),
  ),
  ...[7, true, {}, [token], `Bearer ${token}`, `{"accessToken":"${token}"}`, "t\u00f6ken"].map(
    (accessToken) => ({ name: `the token ${JSON.stringify(accessToken)}`, data: { accessToken } }),
  ),
])("rejects $name as a complete login", ({ data }) => {
  expect(completedLogin(data as never)).toBeUndefined();
});

it("leaves out a user id that start() would not accept", () => {
  for (const userId of [7, "", {}, null, "\n"] as never[])
    expect(completedLogin({ accessToken: token, userId })).toEqual({ accessToken: token, grant: "login" });
});

it("returns only logins that start() accepts, for any body", async () => {
  const { session } = setup();
  const values = fc.oneof(fc.constantFrom("null", " x", "", "x", "\u00e9", '"x"', "Bearer x"), fc.anything());
  const bodies = fc.record(
    { accessToken: values, userId: values, isOtpRequired: values, phase: values },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(bodies, async (body) => {
      const login = completedLogin(body as never);
      if (login) await session.start(login);
    }),
    { seed: 20_251_128, numRuns: 200 },
  );
});
