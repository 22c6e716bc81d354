/** Tokens and client keys appear only in requests and stores: everything else is scanned. */
import { inspect } from "node:util";
import { afterEach, expect, it, vi } from "vitest";
import { createBindings, memoryStore } from "../src/index.ts";
import type { Fault } from "../src/sandbox/sandbox.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import { BASE_URL, setup, storeDouble } from "./support.ts";

const consoleMethods = ["log", "info", "warn", "error", "debug", "trace"] as const;

afterEach(() => void vi.restoreAllMocks());

/** Prints a value in every usual way. */
const printed = (value: unknown): string =>
  [
    inspect(value, { depth: 12, showHidden: true, getters: true }),
    JSON.stringify(value),
    String(value),
    value instanceof Error ? [value.message, value.stack, inspect(value.cause, { depth: 12 })].join() : "",
  ].join("\n");

/** A provider that quotes the credentials in its answers. */
const echo = (status: number, shape: (text: string) => string): Fault => ({
  status,
  body: (request) => shape(`${request.headers.get("authorization")} ${request.headers.get("x-client-key")}`),
});

const faults: Fault[] = [
  ...[200, 302, 400, 401, 403, 429, 498, 499, 500].flatMap((status) => [
    echo(status, (text) => JSON.stringify({ message: text })),
    echo(status, (text) => JSON.stringify({ error: text, error_description: text })),
    echo(status, (text) => JSON.stringify({ message: JSON.stringify({ message: text }) })),
    echo(status, (text) => `<html>${text}</html>`),
    echo(status, (text) => text),
  ]),
  { drop: true },
  { delay: "forever" },
  { truncate: 3 },
];

it("keeps secrets out of errors, events, results, logs, JSON.stringify and util.inspect", {
  timeout: 60_000,
}, async () => {
  const logged: unknown[] = [];
  for (const method of consoleMethods)
    vi.spyOn(console, method).mockImplementation((...all) => void logged.push(all));
  const outputs: unknown[] = [];
  const secrets = new Set<string>();

  for (const fault of faults) {
    for (const call of ["logout", "revoke"] as const) {
      const provider = createSandboxApp({ clientKey: "key-example-secret" });
      const tokens = provider.authorize();
      for (const secret of [tokens.accessToken, tokens.refreshToken, provider.clientKey]) secrets.add(secret);
      // A store and a fetch that quote their arguments in errors.
      const store = storeDouble(({ method, text }) => {
        if (method === "write") return Promise.reject(new Error(text));
        if (method === "remove") throw Object.assign(new Error("x"), { tokens });
        return undefined;
      });
      const fetch: typeof globalThis.fetch = (input, init) =>
        provider.fetch(input, init).catch((error: Error) => {
          const quoting = new Error(`${error.message} ${tokens.accessToken}`, { cause: { tokens } });
          throw Object.assign(quoting, { init, tokens });
        });
      const lines: string[] = [];
      const options = { store, fetch, retries: 0, timeout: 20, debug: (line: string) => lines.push(line) };
      const { session, events, probe } = setup(options, provider);
      await session.start({ ...tokens, grant: "oauth" });
      provider.misbehave(fault);
      const probed: unknown = await probe(tokens).catch((error: unknown) => error);
      const end = await session[call]();
      const refused: unknown = await session.client.GET("/v1/user").catch((error: unknown) => error);
      outputs.push(session, events, probed, end, end.error, end.storeError, refused, session.client, lines);
    }
  }
  const text = [...outputs, logged].map(printed).join("\n");
  expect(text).toContain("[redacted]");
  expect(text.length).toBeGreaterThan(10_000);
  for (const secret of secrets) expect(text.includes(secret), secret.slice(0, 12)).toBe(false);
  expect(logged).toEqual([]);
});

it("keeps secrets out of a printed session, client and bare bindings", async () => {
  const { provider, session, startOAuth } = setup();
  const tokens = await startOAuth();
  const bindings = createBindings({ baseUrl: BASE_URL, clientKey: provider.clientKey });
  const text = [session, { ...session }, bindings].map(printed).join("\n");
  for (const secret of [tokens.accessToken, tokens.refreshToken, provider.clientKey]) {
    expect(text).not.toContain(secret);
  }
});

it("keeps secrets out of the error of an unreadable store", async () => {
  const raw = '{"accessToken":"example-secret-token';
  const { session, events } = setup({
    store: { ...memoryStore(), read: () => JSON.parse(raw) },
  });
  const end = await session.logout();
  expect(end.storeError?.cause).toEqual({ name: "SyntaxError", code: undefined });
  expect(printed([end, events])).not.toContain("example-secret");
});

it.each([
  ["rejects", async (tokens: object) => Promise.reject(new Error(JSON.stringify(tokens)))],
  [
    "throws",
    (tokens: object) => {
      throw Object.assign(new Error("x"), { tokens });
    },
  ],
  [
    "resolves to an invalid value",
    async (tokens: { accessToken: string }) => ({ accessToken: `${tokens.accessToken} x` }),
  ],
])("keeps secrets out of the result of a renewal that %s", async (_, renew) => {
  const { provider, session, events, startOAuth } = setup({ renew: renew as never });
  const tokens = await startOAuth();
  provider.expire(tokens.accessToken);
  const read: unknown = await session.client.GET("/v1/user").catch((error: unknown) => error);
  const end = await session.revoke();
  const text = [read, events, end, session].map(printed).join("\n");
  expect(text).toMatch(/unauthorized|invalid-option/);
  for (const secret of [tokens.accessToken, tokens.refreshToken]) expect(text).not.toContain(secret);
});
