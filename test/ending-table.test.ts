/**
 * The ending table of the design, cell by cell: the meaning of each answer for each endpoint, the retries, and the
 * pending record.
 */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { isRetried } from "../src/ask.ts";
import type { SessionEnd, SessionErrorCode } from "../src/index.ts";
import type { Fault } from "../src/sandbox/sandbox.ts";
import { endings, setup, useFakeTime, within } from "./support.ts";

interface Cell {
  answer: string;
  fault?: Fault;
  logout: SessionEnd["server"] | SessionErrorCode;
  revoke: SessionEnd["server"] | SessionErrorCode;
  requests: number;
}

const html = "<!DOCTYPE html><p>Hello</p>";
const settled: unknown[] = ["confirmed", "already-invalid"];

/** The same meaning for both endpoints. */
const both = (meaning: Cell["logout"], requests = 1) => ({ logout: meaning, revoke: meaning, requests });

const table: Cell[] = [
  { answer: "200 {success: true}", ...both("confirmed") },
  ...[
    { answer: "200 {success: false}", body: '{"success":false}' },
    { answer: '200 {success: "true"}', body: '{"success":"true"}' },
    { answer: "200 {}", body: "{}" },
    { answer: "200 null", body: "null" },
    { answer: "200 [true]", body: "[true]" },
    { answer: "200, empty", body: "" },
    { answer: "200, HTML", body: html },
    { answer: "200, broken JSON", body: '{"success":tru' },
  ].map(({ answer, body }) => ({
    answer,
    fault: { status: 200, body },
    ...both("unexpected-response"),
  })),
  ...[201, 202, 204, 206, 300, 301, 302, 303, 304, 307, 308].map((status) => ({
    answer: `${status}`,
    // A success body counts only with its own status.
    fault: {
      status,
      ...(![204, 304].includes(status) && { body: '{"success":true}' }),
      headers: { location: "https://elsewhere.example/" },
    },
    ...both("unexpected-response"),
  })),
  { answer: "401", fault: { status: 401 }, logout: "already-invalid", revoke: "unauthorized", requests: 1 },
  {
    answer: "401 with a Bearer challenge",
    fault: { status: 401, headers: { "www-authenticate": 'Bearer realm="api", error="invalid_token"' } },
    logout: "already-invalid",
    revoke: "unauthorized",
    requests: 1,
  },
  ...['Basic realm="Bearer"', "NTLM", "Negotiate", 'Digest realm="proxy"'].map((challenge) => ({
    answer: `401 of a gateway, ${challenge}`,
    fault: { status: 401, headers: { "www-authenticate": challenge } },
    ...both("unexpected-response"),
  })),
  { answer: "498", fault: { status: 498 }, ...both("client-key-invalid") },
  { answer: "499", fault: { status: 499 }, ...both("client-key-missing") },
  ...[400, 403, 404, 405, 409, 410, 422, 451].map((status) => ({
    answer: `${status}`,
    fault: { status },
    ...both("rejected"),
  })),
  { answer: "429", fault: { status: 429 }, ...both("rate-limited", 3) },
  ...[500, 502, 503, 504, 599].map((status) => ({
    answer: `${status}`,
    fault: { status },
    ...both("server-error", 3),
  })),
  {
    answer: "a dropped connection",
    fault: { drop: true },
    ...both("network", 3),
  },
  { answer: "a broken body", fault: { truncate: 4 }, ...both("network", 3) },
  { answer: "no answer", fault: { delay: "forever" }, ...both("timeout") },
  {
    answer: "a body that trickles",
    fault: { trickle: 3_000 },
    ...both("timeout"),
  },
];

describe.each(table)("$answer", (cell) => {
  beforeEach(() => void useFakeTime());
  it.each(["logout", "revoke"] as const)("on %s", async (endpoint) => {
    const { provider, session, startOAuth, events } = setup();
    await startOAuth();
    // Each call gets the fault, so the number of requests is the number of attempts.
    if (cell.fault)
      provider.misbehave({
        handled: false,
        ...(isReplaced(cell.fault) ? {} : { handled: true }),
        ...cell.fault,
      });

    const end = await within(5_000, session[endpoint]());

    const meaning = cell[endpoint];
    if (settled.includes(meaning)) {
      const refreshToken = endpoint === "logout" && { refreshToken: "may-be-valid" };
      expect(end).toEqual({ endpoint, server: meaning, local: "cleared", ...refreshToken });
    } else {
      expect(end).toMatchObject({
        endpoint,
        server: "unconfirmed",
        // A refused revoke without a renewal cannot be retried.
        local: meaning === "unauthorized" ? "cleared" : "pending",
        error: { code: meaning },
      });
    }
    // The retries of a list of tokens depend on this.
    expect(isRetried(meaning as SessionErrorCode)).toBe(cell.requests > 1);
    expect(session.pending).toBe(end.local === "pending" ? 1 : 0);
    expect(endings(provider)).toHaveLength(cell.requests);
    expect(events.at(-1)).toEqual({ type: "settled", end });
  });
});

/** Checks that the answer is replaced, so that the real handler must not have ended the session first. */
const isReplaced = ({ status, drop, delay }: Fault) => status !== undefined || drop || delay === "forever";

describe("the error of an unconfirmed ending", () => {
  it("includes the status and the server's message, if there is one", async () => {
    const bodies: [body: string, says: string | undefined][] = [
      // server-message.test.ts has every known shape.
      ['{"error":"invalid_client","error_description":"Unknown client"}', "Unknown client"],
      ['{"message":42}', undefined],
      ['"just a string"', "just a string"],
      ["<html><h1>Bad  Gateway</h1></html>", "Bad Gateway"],
      ["null", undefined],
      ["", undefined],
    ];
    for (const [body, says] of bodies) {
      const { provider, session, startLogin } = setup();
      await startLogin();
      provider.misbehave({ status: 403, body });
      const { error } = await session.logout();
      expect(error).toMatchObject({ name: "SessionError", code: "rejected", status: 403 });
      expect(error?.serverMessage, body).toBe(says);
    }
  });

  it("includes the code of a fetch failure, without its message", async () => {
    const cause = Object.assign(new Error("connect 127.0.0.1"), { code: "ECONNREFUSED" });
    const fetch = () => Promise.reject(new TypeError("fetch failed for secret-example-token", { cause }));
    const { session, startLogin } = setup({ fetch, retries: 0 });
    await startLogin();
    const { error } = await session.logout();
    expect(error).toMatchObject({
      message: expect.stringMatching(
        /^network: no answer: .*: TypeError \(ECONNREFUSED\) \(docs\/.*#network\)$/,
      ),
      cause: { name: "TypeError", code: "ECONNREFUSED" },
    });
    expect(error).not.toHaveProperty("retryAfter");
    expect(error).not.toHaveProperty("status");
  });

  it("describes the status, and a wait only if the server asked for it", async () => {
    const { provider, session, startLogin } = setup();
    await startLogin();
    provider.misbehave({ status: 403 });
    const { error } = await session.logout();
    expect(error?.message).toBe("rejected: status 403 (docs/results-and-errors.md#rejected)");
    expect(error).not.toHaveProperty("retryAfter");
  });

  it("truncates the server's message to 200 characters, after removing the token", async () => {
    const { provider, session, startLogin } = setup();
    const { accessToken } = await startLogin();
    provider.misbehave({ status: 400, body: `${"x".repeat(190)}${accessToken} ${provider.clientKey}` });
    const { error } = await session.logout();
    expect(error?.serverMessage).toHaveLength(200);
    expect(error?.serverMessage).toBe(`${"x".repeat(190)}[redacted]`);
  });

  it("reads a body in several chunks, but at most 64 KiB, without waiting for the rest", async () => {
    const cancelled = vi.fn();
    const bytes = new TextEncoder().encode("Grüße ".padEnd(65_534));
    for (const status of [200, 400]) {
      // Cut in the middle of a character.
      const pieces = [bytes.subarray(0, 3), bytes.subarray(3)];
      const body = () =>
        new ReadableStream({
          pull: (stream) => {
            const piece = pieces.shift();
            if (piece) stream.enqueue(piece);
            return piece ? undefined : new Promise(() => {});
          },
          cancel: cancelled,
        });
      const { session, startLogin } = setup({
        fetch: async () => new Response(body(), { status }),
        retries: 0,
      });
      await startLogin();
      const { error } = await session.logout();
      expect(error).toMatchObject({ status, serverMessage: "Grüße" });
    }
    expect(cancelled).toHaveBeenCalledTimes(2);
  });

  it("reads at most 64 KiB of an error or success body", async () => {
    for (const status of [400, 200]) {
      const { provider, session, startLogin } = setup();
      await startLogin();
      provider.misbehave({ status, body: `{"success":true,"filler":"${"x".repeat(70_000)}"}` });
      const { server } = await session.logout();
      // The truncated body is not valid JSON.
      expect(server).toBe("unconfirmed");
    }
  });
});
