/** The comparison of the specification with a provider's own document, and with its own past, names what differs. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runScript } from "../fixtures/run.ts";
import { readPact } from "../pact-file.ts";
import { compareDocuments } from "./compare.ts";
import { type ApiDocument, documentOf, readDocument } from "./document.ts";
import { comparePact } from "./pact.ts";

const root = resolve(import.meta.dirname, "../..");
const own = "openapi/baanx-auth.openapi.yaml";
const contradicting = resolve(import.meta.dirname, "../fixtures/contradicting.openapi.yaml");

let text: string;
let ours: ApiDocument;
let folder: string;

beforeAll(async () => {
  text = await readFile(join(root, own), "utf8");
  ours = documentOf(text, own);
  folder = await mkdtemp(join(tmpdir(), "comparison-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("a document of the provider that contradicts in ten places", () => {
  const ten = [
    "POST /v1/auth/login: $.captcha of the body is required, and ours does not send it",
    "POST /v1/auth/login: $.otpCode of the body is integer, and ours sends string",
    "POST /v1/auth/login: $.isOtpRequired of 200 is string, and ours reads boolean",
    "POST /v1/auth/login/otp: there is no such path",
    "GET /v1/user: the query tenant is required, and ours does not send it",
    "GET /v1/user: $.id of 200 is integer, and ours reads string",
    "GET /v1/user: $.verificationState of 200 is string or null, and ours reads string",
    "GET /v1/user: 401 is text/html, and ours reads JSON",
    "POST /v1/auth/logout: 204 is answered in place of 200",
    "DELETE /v1/auth/oauth/revoke: the method is POST",
  ];

  it.each(ten)("is said to: %s", async (line) => {
    expect(compareDocuments(ours, await readDocument(contradicting)).contradictions).toContain(line);
  });

  it("is said to in these and no others, and what it leaves out is ours alone", async () => {
    const { contradictions, oursAlone } = compareDocuments(ours, await readDocument(contradicting));
    expect(contradictions).toEqual(ten);
    expect(oursAlone).toContain("GET /v1/user: status 403, 429, 498, 499");
    expect(oursAlone).toContain("POST /v1/auth/logout: the header x-us-env");
    expect(oursAlone).toContain("POST /v1/auth/login: $.phoneNumber of 200");
  });

  it("contradicts the contract where the contract asserts it", async () => {
    const { contradictions } = await comparePact(await readPact(), await readDocument(contradicting));
    expect(contradictions).toContain("a logout: Response status code not defined in spec file: 200");
    expect(contradictions).toContainEqual(expect.stringMatching(/^a read of the user: .*must be string$/));
    expect(contradictions).toContainEqual(expect.stringMatching(/^a revocation: Path or method not defined/));
    // A refusal as HTML is right for this consumer, and the tenant is nobody's yet.
    expect(contradictions.filter((line) => line.startsWith("a read of the user after logout"))).toEqual([]);
  });
});

it("our own document contradicts neither itself nor the contract, and nothing is ours alone", async () => {
  const nothing = { contradictions: [], oursAlone: [] };
  expect(compareDocuments(ours, documentOf(text, own))).toEqual(nothing);
  expect(await comparePact(await readPact(), ours)).toEqual(nothing);
});

describe("one change of our own document", () => {
  const logout = "  /v1/auth/logout:\n    post:\n";
  const changes: { from: string; to: string; says: string | string[]; alone?: true }[] = [
    {
      from: "      in: header\n      required: false",
      to: "      in: header\n      required: true",
      says: "GET /v1/user: the header x-us-env is required, and ours may leave it out",
    },
    {
      from: 'enum: ["true"]',
      to: 'enum: ["1"]',
      says: 'GET /v1/user: the header x-us-env is "1", and ours sends "true"',
    },
    {
      from: logout,
      to: `${logout}      requestBody: { required: true, content: { application/json: { schema: {} } } }\n`,
      says: "POST /v1/auth/logout: a body is required, and ours sends none",
    },
    {
      from: "  - clientKey: []\n    accessToken: []",
      to: "  - clientKey: []\n    accessToken: []\n    secretKey: []",
      says: "POST /v1/auth/logout: the header x-secret-key is required, and ours does not send it",
    },
    {
      from: "    accessToken: []\n",
      to: "",
      says: "GET /v1/user: the header authorization",
      alone: true,
    },
    {
      from: "      required: [success]\n      properties:\n        success:\n          type: boolean\n          description",
      to: "      properties:\n        success:\n          type: boolean\n          description",
      says: "POST /v1/auth/logout: $.success of 200 may be missing, and ours relies on it",
    },
    {
      from: "      required: [userId]\n",
      to: "      additionalProperties: false\n      properties: {}\n    Old:\n",
      says: "POST /v1/auth/login/otp: $.userId of the body is not taken, and ours sends it",
    },
    {
      from: '      responses:\n        "200":\n          $ref: "#/components/responses/Ended"',
      to: '      responses:\n        "202":\n          description: Later\n        "200":\n          $ref: "#/components/responses/Ended"',
      says: "POST /v1/auth/logout: 202 is answered, and ours knows no such success",
    },
    {
      from: '          schema:\n            $ref: "#/components/schemas/Ended"',
      to: '          schema:\n            type: array\n            items: { $ref: "#/components/schemas/Ended" }',
      says: "POST /v1/auth/logout: $ of 200 is array, and ours reads object",
    },
  ];

  it.each(changes)("is named: $says", ({ from, to, says, alone }) => {
    const changed = text
      .replaceAll(from, to)
      .replace(
        "  securitySchemes:\n",
        "  securitySchemes:\n    secretKey: { type: apiKey, in: header, name: X-Secret-Key }\n",
      );
    expect(text.includes(from)).toBe(true);
    const { contradictions, oursAlone } = compareDocuments(ours, documentOf(changed, own));
    expect(alone ? oursAlone : contradictions).toContain(says);
    if (alone) expect(contradictions).toEqual([]);
  });

  it.each([
    // A provider that takes more, or promises more, breaks nobody.
    { from: "      required: [email, password]", to: "      required: [email]" },
    { from: 'enum: ["true"]', to: 'enum: ["true", "1"]' },
    { from: "      required: [id]", to: "      required: [id, verificationState]" },
    { from: '          type: [string, "null"]', to: "          type: string" },
  ])("that breaks nobody is not named: $to", ({ from, to }) => {
    expect(text.includes(from)).toBe(true);
    const changed = documentOf(text.replaceAll(from, to), own);
    expect(compareDocuments(ours, changed)).toEqual({ contradictions: [], oursAlone: [] });
  });
});

describe.concurrent("scripts/spec-compare.ts", () => {
  it("takes an address, and fails where something contradicts", async () => {
    const document = await readFile(contradicting);
    const server = createServer((_, response) => response.end(document)).listen(0, "127.0.0.1");
    await new Promise((done) => server.once("listening", done));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/openapi.yaml`;
    const ran = await runScript("spec-compare", [address], {}, root);
    server.close();
    expect(ran).toMatchObject({ code: 1, err: "" });
    expect(ran.out).toMatch(/^The specification\nContradicts: 10\n {2}POST \/v1\/auth\/login: /);
    expect(ran.out).toMatch(/\nThe contract\nContradicts: 8\n/);
  });

  it("names what breaks between two commits, on GitHub as warnings", async () => {
    const home = join(folder, "past");
    await mkdir(join(home, "openapi"), { recursive: true });
    const git = (...args: string[]) =>
      execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], { cwd: home });
    await writeFile(join(home, own), text);
    git("init", "--quiet");
    git("add", ".");
    git("commit", "--quiet", "--message", "The first");
    const quiet = await runScript("spec-compare", ["--since", "HEAD"], {}, home);
    expect(quiet).toMatchObject({
      code: 0,
      err: "",
      out: expect.stringMatching(/^Nothing of the specification/),
    });
    await writeFile(join(home, own), text.replace("  /v1/user:", "  /v1/me:"));
    const ran = await runScript("spec-compare", ["--since", "HEAD"], { GITHUB_ACTIONS: "true" }, home);
    expect(ran).toMatchObject({ code: 1, err: "" });
    expect(ran.out).toBe(`::warning file=${own}::breaking: GET /v1/user: there is no such path\n`);
  });

  it.each([
    { args: [], says: "One document is compared" },
    { args: ["a.yaml", "--since", "HEAD"], says: "One document is compared" },
    { args: ["--since=--output=x"], says: "There is no openapi/baanx-auth.openapi.yaml at the commit" },
  ])("refuses wrong usage in one line: $args", async ({ args, says }) => {
    const ran = await runScript("spec-compare", args, {}, root);
    expect(ran).toMatchObject({ code: 2, out: "" });
    expect(ran.err).toMatch(/^spec-compare: [^\n]+\n$/);
    expect(ran.err).toContain(says);
  });
});

it.each([
  { source: "nowhere.yaml", says: "nowhere.yaml cannot be read." },
  { source: join(root, "package.json"), says: "package.json is no OpenAPI 3.x document." },
  { source: join(root, "README.md"), says: "README.md is neither YAML nor JSON." },
  { source: "http://127.0.0.1:1/", says: "The document cannot be fetched: there is no answer." },
  { source: "http://api.example/", says: "must begin with https://" },
])("a document that cannot be compared is refused: $says", async ({ source, says }) => {
  await expect(readDocument(source)).rejects.toThrow(says);
});

it("a document in several files is refused, with what makes one of them", () => {
  const parts = text.replaceAll("#/components/schemas/User", "./user.yaml");
  expect(() => compareDocuments(ours, documentOf(parts, own))).toThrow("`npx redocly bundle`");
});
