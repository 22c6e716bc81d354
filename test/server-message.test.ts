/** Reading an error body: every known shape yields its message, no body throws, and credentials are redacted. */
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { serverMessage } from "../src/server-message.ts";

// The same runs each time.
fc.configureGlobal({ seed: 20_251_128 });

const json = JSON.stringify;

describe("the message of a body", () => {
  it.each([
    { body: { message: "Not now" }, says: "Not now" },
    { body: { message: json({ message: "Nested" }) }, says: "Nested" },
    { body: { message: json({ error: { message: "Deeper" } }) }, says: "Deeper" },
    { body: { message: json({ error: { message: json({ error: "Deepest" }) } }) }, says: "Deepest" },
    { body: { message: ["One", { message: "Two" }, 3, null] }, says: "One; Two" },
    { body: { error: "Bad key", details: [] }, says: "Bad key" },
    { body: { error: { message: "Bad key" } }, says: "Bad key" },
    { body: { error: "invalid_grant", error_description: "Used up" }, says: "Used up" },
    { body: { errorMessage: "Not now" }, says: "Not now" },
    { body: { errors: ["One", "Two"] }, says: "One; Two" },
    { body: { errors: [{ message: "One" }, { message: "Two" }] }, says: "One; Two" },
    { body: { data: { message: "Not now" } }, says: "Not now" },
    { body: { detail: "Not now" }, says: "Not now" },
    { body: { details: "Not now" }, says: "Not now" },
    { body: { details: ["One", "Two"] }, says: "One; Two" },
    { body: { message: "", error: null, detail: "Not now" }, says: "Not now" },
    { body: { message: "First", error: "Second", detail: "Third" }, says: "First" },
    { body: ["One", "Two"], says: "One; Two" },
    { body: "upstream connect error", says: "upstream connect error" },
    { body: "<html><h1>Bad  Gateway</h1>\n</html>", says: "Bad Gateway" },
    { body: json({ message: "Not now" }), says: "Not now" },
    { body: "{broken", says: "{broken" },
    { body: "Wait\u0000\u001b[31m\u202e now", says: "Wait[redacted] [31m now" },
  ])("is $says in $body", ({ body, says }) => {
    expect(serverMessage(body, [])).toBe(says);
    // The body as text yields the same.
    if (typeof body === "object") expect(serverMessage(json(body), [])).toBe(says);
  });

  it.each([
    undefined,
    null,
    "",
    "   ",
    "<br>",
    42,
    true,
    [],
    [1, 2],
    {},
    { message: 42 },
    { message: { deep: "object" } },
    { data: "a string may be anything" },
    { errors: [] },
  ])("is missing in %j", (body) => {
    expect(serverMessage(body, [])).toBeUndefined();
  });

  it("has at most 200 characters", () => {
    expect(serverMessage({ message: "long ".repeat(1_000) }, [])).toHaveLength(200);
  });

  it("stays undefined if reading throws or never ends", () => {
    const circular: Record<string, unknown> = {};
    circular["message"] = circular;
    const throwing = {
      get message() {
        throw new Error("no");
      },
    };
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    for (const body of [circular, throwing, revoked.proxy, Symbol("message"), 1n, () => "message"])
      expect(serverMessage(body, ["example-token"])).toBeUndefined();
  });

  it("reads any value without an exception", () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true }), (body) => {
        const said = serverMessage(body, ["example-token-of-a-property"]);
        expect(said === undefined || (said.length > 0 && said.length <= 200)).toBe(true);
      }),
    );
  });
});

const html: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const hex = (character: string) => character.charCodeAt(0).toString(16);

/** The ways in which a server may encode a secret in a message. */
const encodings: Record<string, (secret: string) => string> = {
  verbatim: (secret) => secret,
  URL: encodeURIComponent,
  "URL in lower case": (secret) => encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase()),
  HTML: (secret) => secret.replace(/[&<>"']/g, (character) => html[character] ?? ""),
  "HTML in hexadecimal": (secret) => secret.replace(/[&<>"'/=]/g, (character) => `&#x${hex(character)};`),
  JSON: (secret) => json(secret).slice(1, -1),
  "JSON that is safe in HTML": (secret) =>
    json(secret)
      .slice(1, -1)
      .replace(/[<>&'/]/g, (character) => (character === "/" ? "\\/" : `\\u00${hex(character)}`)),
  base64: (secret) => Buffer.from(secret).toString("base64"),
  base64url: (secret) => Buffer.from(secret).toString("base64url"),
  "base64 after one byte": (secret) => Buffer.from(`:${secret}`).toString("base64"),
  "base64 of a header": (secret) => Buffer.from(`Bearer ${secret}, x`).toString("base64"),
  "base64 of a pair": (secret) => Buffer.from(`id:${secret}`).toString("base64url"),
};

/** Visible ASCII, the characters of tokens and client keys. */
const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
const secretOf = (minLength: number) => fc.string({ unit: visible, minLength, maxLength: 80 });
const around = fc.string({ unit: fc.constantFrom(...' .:=(abc123"<>\\%&;€'), maxLength: 30 });

describe.each(Object.entries(encodings))("a credential in a message, %s", (_, encode) => {
  it.each([
    "US_b6b9168a-1c2d-4e3f-8a9b-0c1d2e3f4a5b",
    "access_token_100a99cf-1c2d-4e3f-8a9b-0c1d2e3f4a5b",
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJleGFtcGxlIn0.c2lnbmF0dXJlLWV4YW1wbGU",
    'key/with+special="characters"&<more>;%2F\\',
    "demo-client-key",
  ])("is redacted: %s", (secret) => {
    const said = serverMessage({ message: `The value (${encode(secret)}) is wrong` }, ["unrelated", secret]);
    expect(said).toMatch(/^The value \(.{0,12}\[redacted\].{0,12} is wrong$/);
    expect(said).not.toContain(encode(secret));
  });

  it("redacts any credential at any position", () => {
    fc.assert(
      fc.property(secretOf(16), around, around, (secret, before, after) => {
        const encoded = encode(secret);
        const said = serverMessage({ message: `${before}${encoded}${after}` }, [secret]) ?? "";
        for (let at = 0; at + 16 <= encoded.length; at++)
          expect(said).not.toContain(encoded.slice(at, at + 16));
      }),
    );
  });
});

it("redacts each part of 16 characters of a credential, and leaves shorter ones", () => {
  const secret = "example0token1that2a3test4has5made";
  const said = (part: string) => serverMessage(`token ${part}...`, [secret]);
  expect(said(secret.slice(5, 21))).toBe("token [redacted]...");
  expect(said(secret.slice(-20))).toBe("token [redacted]...");
  expect(said(secret.slice(5, 20))).toBe("token le0token1that2a...");
});

it("redacts a short credential as a whole, whatever its encoding", () => {
  fc.assert(
    fc.property(secretOf(8), fc.constantFrom(...Object.values(encodings)), (secret, encode) => {
      // A mark that no secret of this property contains.
      const said = serverMessage(`\u20ac${encode(secret)}\u20ac`, [secret]) ?? "";
      expect(said).not.toContain(`\u20ac${encode(secret)}\u20ac`);
    }),
    { numRuns: 300 },
  );
});

it("redacts every one of several credentials that touch each other", () => {
  const [token, key] = ["US_b6b9168a-1c2d-4e3f-8a9b-0c1d2e3f4a5b", "demo-client-key"];
  expect(serverMessage(`${token}${key}${token} ${key}.`, [token, key])).toBe("[redacted] [redacted].");
});

it("leaves a message without a credential unchanged", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."abc def&%;/"), maxLength: 150 }), (text) => {
      const plain = text.replace(/\s+/g, " ").trim();
      expect(serverMessage({ message: `(${plain})` }, ["US_b6b9168a-1c2d-4e3f", ""])).toBe(`(${plain})`);
    }),
  );
});

it("redacts a credential that a cut would halve", () => {
  const token = "US_b6b9168a-1c2d-4e3f-8a9b-0c1d2e3f4a5b";
  for (let before = 150; before < 200; before++) {
    const said = serverMessage(`${"x".repeat(before)}${token}`, [token]) ?? "";
    expect(said).toMatch(/^x+\[?[redacted]{0,8}\]?$/);
  }
});
