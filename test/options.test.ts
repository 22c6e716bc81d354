/** Bad input causes one error that names the option and never quotes its value. */
import { describe, expect, it, vi } from "vitest";
import { createBindings, createSession, memoryStore, SessionError, webStorageStore } from "../src/index.ts";
import { BASE_URL, setup, useFakeTime } from "./support.ts";

const SECRET = "secret-example-value";
const good = { baseUrl: BASE_URL, clientKey: "demo-client-key" };

/** Returns the error of a function that should throw. */
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
      "https://",
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
    [
      undefined,
      null,
      "",
      " ",
      "undefined",
      "null",
      `"${SECRET}"`,
      `${SECRET} `,
      `${SECRET}\n`,
      "clé",
      "\u007f",
      42,
      {},
    ],
  ],
  ["region", ["eu", "US", "", null, 1]],
  ["onUnconfirmed", ["keeps", true, null]],
  ["timeout", [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 60_001, "5000", null]],
  ["retries", [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, "2", null]],
  ["store", [new Map(), {}, "localStorage", { ...memoryStore(), remove: undefined }]],
  ["renew", ["/renew", {}, true]],
  ["fetch", ["fetch", {}]],
  ["debug", [true, console]],
  ["allowInsecureRequests", ["yes", 1, null]],
];

describe.each(badOptions)("%s", (option, values) => {
  it.each(values.map((value) => [value]))("rejects %o", (value) => {
    const error = errorOf(() => createSession({ ...good, [option]: value } as never));
    expect(error.code).toBe("invalid-option");
    const isMissing = value === undefined || value === null || value === "";
    expect(error.message).toMatch(
      new RegExp(`^invalid-option: ${option} ${isMissing ? "is missing: it " : ""}must be `),
    );
    expect(error.message).not.toContain(SECRET);
    if (["baseUrl", "clientKey", "region"].includes(option)) {
      expect(errorOf(() => createBindings({ ...good, [option]: value } as never)).message).toBe(
        error.message,
      );
    }
  });
});

it.each([
  [
    "baseUrl",
    "http://dev.api.baanx.com",
    "https; http is for loopback, or for development with allowInsecureRequests: true",
  ],
  [
    "baseUrl",
    `https://dev.api.baanx.com?key=${SECRET}`,
    "an https URL, such as https://dev.api.baanx.com, without credentials, query, fragment and spaces",
  ],
  ["clientKey", "two words", 'visible ASCII without spaces and quotes, and not "undefined"'],
  ["timeout", 0, "a number of milliseconds above 0, at most 60,000"],
  ["retries", 0.5, "a whole number, 0 or more"],
  ["region", "eu", '"international" or "us"'],
  ["onUnconfirmed", "drop", '"keep" or "discard"'],
])("describes the valid values of %s: %s", (option, value, must) => {
  const error = errorOf(() => createSession({ ...good, [option]: value } as never));
  expect(error.message).toBe(
    `invalid-option: ${option} must be ${must} (docs/results-and-errors.md#invalid-option)`,
  );
});

it.each([
  ["userId", { userId: 7 }, "a string that is not empty"],
  ["grant", { grant: "password" }, '"login" or "oauth"'],
  ["region", { region: "eu" }, '"international" or "us"'],
])("describes the valid values of %s of start()", async (option, wrong, must) => {
  const { session } = setup();
  const login = { accessToken: "token", grant: "login", ...wrong };
  await expect(session.start(login as never)).rejects.toThrow(`invalid-option: ${option} must be ${must}`);
});

it("includes the name and code of the cause in an error without its own message", () => {
  const said = (cause?: unknown) =>
    new SessionError("network", undefined, { cause }).message.replace(
      " (docs/results-and-errors.md#network)",
      "",
    );
  expect(said({ name: "TypeError", code: "ECONNREFUSED" })).toBe("network: TypeError (ECONNREFUSED)");
  // Like a browser's errors, and an old DOMException with its number.
  expect(said({ name: "TypeError", code: undefined })).toBe("network: TypeError");
  expect(said({ name: "QuotaExceededError", code: 22 })).toBe("network: QuotaExceededError");
  // A thrown value that is not an error.
  expect(said({ name: undefined, code: undefined })).toBe("network");
  expect(said()).toBe("network");
});

it.each([undefined, null, "token", {}])(
  "names the missing part of the login for start(%o)",
  async (login) => {
    const { session } = setup();
    await expect(session.start(login as never)).rejects.toThrow(
      "invalid-option: accessToken is missing: check that the login is complete",
    );
  },
);

it("names the first missing option of createSession()", () => {
  expect(errorOf(() => createSession(undefined as never)).message).toContain("baseUrl is missing");
});

describe("baseUrl", () => {
  it.each([
    ["http://emulator.example:8080", "http://emulator.example:8080"],
    ["http://10.0.2.2", "http://10.0.2.2"],
  ])("allows %s only with allowInsecureRequests", async (baseUrl, origin) => {
    const { session, startLogin } = setup({ baseUrl, allowInsecureRequests: true });
    await startLogin();
    expect((await session.fetch(`${origin}/v1/user`)).status).toBe(200);
    expect(await session.end()).toMatchObject({ server: "confirmed" });
    expect(errorOf(() => setup({ baseUrl })).message).toContain("allowInsecureRequests: true");
  });

  it.each([
    ["https://dev.api.baanx.com", "https://dev.api.baanx.com"],
    ["https://dev.api.baanx.com/", "https://dev.api.baanx.com"],
    ["HTTPS://Dev.API.baanx.com:443", "https://dev.api.baanx.com"],
    ["https://bücher.example", "https://xn--bcher-kva.example"],
    ["https://gateway.example:8443/baanx", "https://gateway.example:8443"],
    ["http://localhost:3000", "http://localhost:3000"],
    ["http://127.0.0.1:80", "http://127.0.0.1"],
    ["http://127.10.20.30", "http://127.10.20.30"],
    ["http://[::1]:3000/api", "http://[::1]:3000"],
    ["https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"],
  ])("accepts %s", async (baseUrl, origin) => {
    const { provider, session, startLogin } = setup({ baseUrl });
    await startLogin();
    const asked = await session.fetch(`${origin}/v1/user`);
    expect(asked.status).toBe(200);
    const { response } = await session.client.GET("/v1/user");
    expect(response.status).toBe(new URL(baseUrl).pathname === "/" ? 200 : 404);
    expect(await session.end()).toMatchObject(
      new URL(baseUrl).pathname === "/" ? { server: "confirmed" } : { error: { status: 404 } },
    );
    expect(provider.requests).toHaveLength(3);
  });
});

it.each([
  [undefined, "storage must be a function"],
  ["localStorage", "storage must be a function"],
])("explains for webStorageStore(%o) how to pass the storage", (storage, message) => {
  expect(errorOf(() => webStorageStore(storage as never)).message).toContain(message);
});

it("rejects an empty prefix for webStorageStore, which would match every item", () => {
  expect(errorOf(() => webStorageStore(() => localStorage, { prefix: "" })).message).toContain(
    "prefix must be",
  );
});

describe("start()", () => {
  const bad: [option: string, session: object][] = [
    // token-rule.test.ts has every kind of problem.
    ["accessToken", { accessToken: undefined }],
    ["accessToken", { accessToken: `${SECRET}\r\nx-evil: 1` }],
    ["accessToken", { accessToken: `Bearer ${SECRET}` }],
    ["refreshToken", { refreshToken: "null" }],
    ["refreshToken", { refreshToken: "" }],
    ["refreshToken", { refreshToken: `${SECRET}é` }],
    ["refreshToken", { refreshToken: null }],
    ["userId", { userId: 7 }],
    ["grant", { grant: "password" }],
    ["grant", { grant: undefined }],
    ["region", { region: "eu" }],
  ];

  it.each(bad)("rejects a bad %s without losing the session: %o", async (option, over) => {
    const { session, startLogin } = setup();
    await startLogin();
    const tokens = { accessToken: "example-access-token", grant: "login", ...over };
    const error: unknown = await session.start(tokens as never).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "SessionError", code: "invalid-option" });
    expect(String(error)).toContain(`invalid-option: ${option} `);
    expect(String(error)).not.toContain(SECRET);
    expect((await session.client.GET("/v1/user")).response.status).toBe(200);
  });
});

it("rejects in probe() a token that is invalid in a header, and an unknown region", async () => {
  const { provider, probe } = setup();
  await expect(probe({ accessToken: "" })).rejects.toMatchObject({ code: "invalid-option" });
  const region = "eu" as "us";
  await expect(probe({ accessToken: "token", region })).rejects.toThrow("region must be");
  expect(provider.requests).toEqual([]);
});

it("does no I/O and sets no timer in createSession", () => {
  useFakeTime();
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
  // Their shape is checked, but they are not called.
  expect([...new Set(touched)].sort()).toEqual(["read", "remove", "write"]);
  expect(provider.requests).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
