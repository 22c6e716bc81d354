/** Bad input: one error that names the option, and never quotes its value. */
import { describe, expect, it, vi } from "vitest";
import { createBindings, createSession, memoryStore, SessionError } from "../src/index.ts";
import { BASE_URL, setup } from "./support.ts";

const SECRET = "secret-example-value";
const good = { baseUrl: BASE_URL, clientKey: "demo-client-key" };

/** The error of something that should throw one. */
function errorOf(run: () => unknown): SessionError {
  try {
    run();
  } catch (error) {
    if (error instanceof SessionError) return error;
  }
  throw new Error("it did not throw a SessionError");
}

const badOptions: [option: string, values: unknown[]][] = [
  [
    "baseUrl",
    [
      undefined,
      null,
      "",
      "dev.api.baanx.com",
      "/v1",
      "https://",
      "ftp://dev.api.baanx.com",
      "http://dev.api.baanx.com",
      "http://localhost.example.com",
      "http://127.0.0.1.example.com",
      "http://localhost@example.com",
      `https://user:${SECRET}@dev.api.baanx.com`,
      `https://dev.api.baanx.com?key=${SECRET}`,
      `https://dev.api.baanx.com#${SECRET}`,
      "https://dev.api.baanx.com\\@example.com",
      "https://dev api.baanx.com",
      " https://dev.api.baanx.com",
      "https://dev.api.baanx.com/a b",
      "https://dev.api.baanx.com:port",
      42,
    ],
  ],
  [
    "clientKey",
    [undefined, null, "", " ", `${SECRET} `, `${SECRET}\n`, `${SECRET}\u0000`, "clé", "\u007f", 42, {}],
  ],
  ["region", ["eu", "US", "", null, 1]],
  ["onUnconfirmed", ["keeps", true, null]],
  ["timeout", [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, "5000", null]],
  ["retries", [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, "2", null]],
];

describe.each(badOptions)("%s", (option, values) => {
  it.each(values.map((value) => [value]))("is refused when it is %o", (value) => {
    const error = errorOf(() => createSession({ ...good, [option]: value } as never));
    expect(error.code).toBe("invalid-option");
    expect(error.message).toMatch(new RegExp(`^invalid-option: ${option} must be `));
    expect(error.message).not.toContain(SECRET);
    if (["baseUrl", "clientKey", "region"].includes(option)) {
      expect(errorOf(() => createBindings({ ...good, [option]: value } as never)).message).toBe(
        error.message,
      );
    }
  });
});

const url = "an https URL, or http on loopback, without credentials, query and fragment";

it.each([
  ["baseUrl", "http://dev.api.baanx.com", url],
  ["baseUrl", `https://dev.api.baanx.com?key=${SECRET}`, url],
  ["clientKey", "two words", "visible ASCII characters without spaces"],
  ["timeout", 0, "a number of milliseconds above 0 and below 2^31"],
  ["retries", 0.5, "a whole number, 0 or more"],
  ["region", "eu", "international or us"],
  ["onUnconfirmed", "drop", "keep or discard"],
])("what %s must be is said in words: %s", (option, value, must) => {
  const error = errorOf(() => createSession({ ...good, [option]: value } as never));
  expect(error.message).toBe(`invalid-option: ${option} must be ${must}`);
});

it.each([
  ["accessToken", { accessToken: "a token" }, "visible ASCII characters without spaces"],
  ["refreshToken", { refreshToken: "" }, "visible ASCII characters without spaces"],
  ["userId", { userId: "" }, "a text that is not empty"],
  ["grant", { grant: "password" }, "login or oauth"],
  ["region", { region: "eu" }, "international or us"],
])("what %s of start() must be is said in words", async (option, wrong, must) => {
  const { session } = setup();
  const login = { accessToken: "token", grant: "login", ...wrong };
  await expect(session.start(login as never)).rejects.toThrow(`invalid-option: ${option} must be ${must}`);
});

it("an error without words of its own says the name and the code of its cause", () => {
  const said = (cause?: unknown) => new SessionError("network", undefined, { cause }).message;
  expect(said({ name: "TypeError", code: "ECONNREFUSED" })).toBe("network: TypeError (ECONNREFUSED)");
  // What a browser has, and a DOMException of old with its number.
  expect(said({ name: "TypeError", code: undefined })).toBe("network: TypeError");
  expect(said({ name: "QuotaExceededError", code: 22 })).toBe("network: QuotaExceededError");
  // Whatever was thrown that is no error.
  expect(said({ name: undefined, code: undefined })).toBe("network");
  expect(said()).toBe("network");
});

describe("baseUrl", () => {
  it.each([
    ["https://dev.api.baanx.com", "https://dev.api.baanx.com"],
    ["https://dev.api.baanx.com/", "https://dev.api.baanx.com"],
    ["HTTPS://Dev.API.baanx.com:443", "https://dev.api.baanx.com"],
    ["https://gateway.example:8443/baanx", "https://gateway.example:8443"],
    ["http://localhost:3000", "http://localhost:3000"],
    ["http://127.0.0.1:80", "http://127.0.0.1"],
    ["http://127.10.20.30", "http://127.10.20.30"],
    ["http://[::1]:3000/api", "http://[::1]:3000"],
    ["https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"],
  ])("may be %s", async (baseUrl, origin) => {
    const { provider, session, startLogin } = setup({ baseUrl });
    await startLogin();
    const asked = await session.fetch(`${origin}/v1/user`);
    expect(asked.status).toBe(200);
    const { response } = await session.client.GET("/v1/user");
    expect(response.status).toBe(new URL(baseUrl).pathname === "/" ? 200 : 404);
    expect(provider.requests).toHaveLength(2);
  });
});

describe("start()", () => {
  const bad: [option: string, session: object][] = [
    ["accessToken", { accessToken: "" }],
    ["accessToken", { accessToken: undefined }],
    ["accessToken", { accessToken: `${SECRET} ` }],
    ["accessToken", { accessToken: `${SECRET}\r\nx-evil: 1` }],
    ["accessToken", { accessToken: 42 }],
    ["refreshToken", { refreshToken: "" }],
    ["refreshToken", { refreshToken: `${SECRET}é` }],
    ["refreshToken", { refreshToken: null }],
    ["userId", { userId: 7 }],
    ["grant", { grant: "password" }],
    ["grant", { grant: undefined }],
    ["region", { region: "eu" }],
  ];

  it.each(bad)("refuses a bad %s, and loses nothing: %o", async (option, over) => {
    const { session, startLogin } = setup();
    await startLogin();
    const tokens = { accessToken: "example-access-token", grant: "login", ...over };
    const error: unknown = await session.start(tokens as never).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "SessionError", code: "invalid-option" });
    expect(String(error)).toContain(`${option} must be`);
    expect(String(error)).not.toContain(SECRET);
    expect((await session.client.GET("/v1/user")).response.status).toBe(200);
  });
});

it("probe() refuses a token that no header can carry, and an unknown region", async () => {
  const { provider, session } = setup();
  await expect(probe({ accessToken: "" })).rejects.toMatchObject({ code: "invalid-option" });
  const region = "eu" as "us";
  await expect(probe({ accessToken: "token", region })).rejects.toThrow("region must be");
  expect(provider.requests).toEqual([]);
});

it("createSession does no I/O and sets no timer", () => {
  vi.useFakeTimers();
  const store = memoryStore();
  const touched: string[] = [];
  const watched = new Proxy(store, {
    get(target, key, receiver) {
      touched.push(String(key));
      return Reflect.get(target, key, receiver);
    },
  });
  const { provider, session } = setup({ store: watched });
  expect(session.state).toBe("restoring");
  expect(session.pending).toBe(0);
  expect(touched).toEqual([]);
  expect(provider.requests).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});
