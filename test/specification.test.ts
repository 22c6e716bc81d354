/**
 * The specification accepts the documented and observed bodies that are not its examples, and rejects bodies of another
 * shape. `npm test -- specification` checks its examples.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it } from "vitest";
import { parse } from "yaml";

const path = resolve(import.meta.dirname, "../openapi/baanx-auth.openapi.yaml");
const text = readFileSync(path, "utf8");
const document = parse(text);

// Not strict, because the document uses keywords of OpenAPI. Formats are for readers.
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(document, "api");

/** @param pointer - property names, from the root of the document */
function isValid(pointer: readonly string[], body: unknown): boolean {
  const $ref = pointer.map((name) => name.replaceAll("~", "~0").replaceAll("/", "~1")).join("/");
  return ajv.validate({ $ref: `api#/${encodeURI($ref)}` }, body);
}

/** Follows one reference, because each response may be one. */
function at(value: Record<string, unknown>, pointer: readonly string[]): string[] {
  const found = pointer.reduce<unknown>((from, name) => (from as Record<string, unknown>)[name], value);
  const { $ref } = found as { $ref?: string };
  return $ref ? $ref.replace("#/", "").split("/") : [...pointer];
}

const responseOf = (method: string, url: string, status: string): string[] =>
  at(document, ["paths", url, method, "responses", status]);

const answer = (method: string, url: string, status: string, body: unknown): boolean =>
  isValid([...responseOf(method, url, status), "content", "application/json", "schema"], body);

const login = ["post", "/v1/auth/login"] as const;
const otp = ["post", "/v1/auth/login/otp"] as const;
const token = ["post", "/v1/auth/oauth/token"] as const;
const user = ["get", "/v1/user"] as const;
const logout = ["post", "/v1/auth/logout"] as const;
const revoke = ["delete", "/v1/auth/oauth/revoke"] as const;

const id = "3f2b8a4e-5c1d-4f7a-9b60-0d9c1e2f3a4b";
const complete = {
  accessToken: "example-access-token",
  userId: id,
  isOtpRequired: false,
  phoneNumber: null,
  phase: null,
  verificationState: "VERIFIED",
  isLinked: false,
};
const nothing = Object.fromEntries(Object.keys(complete).map((name) => [name, null]));
const phases = ["ACCOUNT", "PHONE_NUMBER", "PERSONAL_INFORMATION", "PHYSICAL_ADDRESS", "MAILING_ADDRESS"];

type Row = readonly [operation: readonly [string, string], status: string, body: unknown];

it.each<Row>([
  [login, "200", nothing],
  [login, "200", {}],
  ...phases.map((phase): Row => [login, "200", { ...nothing, userId: id, phase, isOtpRequired: true }]),
  ...[otp, logout, revoke].map((operation): Row => [operation, "200", { success: false }]),
])("accepts the answer of %s with %s: %j", ([method, url], status, body) => {
  expect(answer(method, url, status, body)).toBe(true);
});

it.each([
  { message: "Not authenticated" },
  { message: '{"error":{"message":"Not authenticated"}}' },
  { message: ["email must be an email", { message: "password is too short" }] },
  { error: "invalid_grant" },
  { error: { message: "Not authenticated" } },
  { error: "invalid_grant", error_description: "The refresh token is not accepted" },
  { errorMessage: "Not authenticated" },
  { errors: ["email is required"] },
  { errors: [{ message: "email is required" }] },
  { data: { message: "Not authenticated" } },
  { detail: "Not authenticated" },
  { details: "Not authenticated" },
  { error: "Invalid client key", details: [] },
  { statusCode: 401, path: "/v1/user" },
])("accepts the error %j", (body) => {
  expect(answer(...user, "401", body)).toBe(true);
});

it.each<Row>([
  [login, "200", { ...complete, isOtpRequired: "yes" }],
  [login, "200", { ...complete, accessToken: 7 }],
  [otp, "200", {}],
  [token, "200", { refresh_token: "r" }],
  [user, "200", { email: "ada@example.com" }],
  [logout, "200", { success: "true" }],
  [revoke, "200", {}],
  [user, "401", ["Not authenticated"]],
  [user, "401", { message: 401 }],
])("rejects the answer of %s with %s: %j", ([method, url], status, body) => {
  expect(answer(method, url, status, body)).toBe(false);
});

const request = (schema: string, body: unknown) => isValid(["components", "schemas", schema], body);

it("accepts a login with a one-time password, with null, with an empty one and without", () => {
  const credentials = { email: "ada@example.com", password: "example-password" };
  for (const more of [{ otpCode: "123456" }, { otpCode: null }, { otpCode: "" }, {}])
    expect(request("LoginRequest", { ...credentials, ...more })).toBe(true);
  expect(request("LoginRequest", { ...credentials, otpCode: 123_456 })).toBe(false);
});

it("accepts both grants of the token endpoint, and no code without its verifier", () => {
  const code = { grant_type: "authorization_code", code: "c" };
  expect(request("TokenRequest", { ...code, code_verifier: "v" })).toBe(true);
  expect(request("TokenRequest", { grant_type: "refresh_token", refresh_token: "r" })).toBe(true);
  expect(request("TokenRequest", code)).toBe(false);
  expect(request("TokenRequest", { grant_type: "password", refresh_token: "r" })).toBe(false);
});

it("accepts both values of x-us-env", () => {
  expect(["true", "false", "1"].map((value) => request("UsEnv", value))).toEqual([true, true, false]);
});

it("describes every operation under OpenAPI 3.1.0 and without ranges of statuses, which generators misread", () => {
  expect(document.openapi).toBe("3.1.0");
  expect(text).not.toMatch(/^ +"?[1-5]XX"?:/m);
});
