/** The comparison of the specification with a provider's document, and with its own past, names the differences. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { startServer } from "../../src/sandbox/server.ts";
import { runHere } from "../fixtures/here.ts";
import { runScript } from "../fixtures/run.ts";
import { readPact } from "../pact-file.ts";
import { compareDocuments, comparePact, documentOf, readDocument } from "./compare.ts";

const root = resolve(import.meta.dirname, "../..");
const own = "openapi/baanx-auth.openapi.yaml";
const contradicting = resolve(import.meta.dirname, "../fixtures/contradicting.openapi.yaml");
const text = await readFile(join(root, own), "utf8");
const ours = documentOf(text, own);

it("names contradictions of a provider's document, and its omissions", async () => {
  const theirs = await readDocument(contradicting);
  const { contradictions, oursAlone } = await compareDocuments(ours, theirs);
  const said = [
    "POST /v1/auth/login/otp: the operation is missing",
    "POST /v1/auth/logout: status 200 is not answered",
    "POST /v1/auth/logout: status 204 is answered, and ours does not know it",
    "DELETE /v1/auth/oauth/revoke: the operation is missing",
    /^POST \/v1\/auth\/login: requestBody: .*Property 'captcha' is missing/,
    /^POST \/v1\/auth\/login: status 200: .*isOtpRequired.*'"yes"' is not assignable/,
    /^POST \/v1\/auth\/login: status 404: .*"text\/html"/,
    /^GET \/v1\/user: parameters: .*tenant: string/,
    /^GET \/v1\/user: status 200: .*\.id' are incompatible.*'number' is not assignable to type 'string'/,
    /^GET \/v1\/user: status 401: .*"text\/html"/,
    /^POST \/v1\/auth\/oauth\/token: requestBody: /,
  ];
  expect(contradictions).toEqual(
    said.map((line) => (typeof line === "string" ? line : expect.stringMatching(line))),
  );
  expect(oursAlone).toContain("GET /v1/user: status 403");
});

it("names parts of the contract that a provider's document contradicts", async () => {
  const { contradictions } = await comparePact(await readPact(), await readDocument(contradicting));
  expect(contradictions).toContain("a logout: Response status code not defined in spec file: 200");
  expect(contradictions).toContainEqual(expect.stringMatching(/^a read of the user: .*must be string$/));
  expect(contradictions).toContainEqual(expect.stringMatching(/^a revocation: Path or method not defined/));
});

it("finds no difference between the specification, itself and the contract", async () => {
  const nothing = { contradictions: [], oursAlone: [] };
  expect(await compareDocuments(ours, documentOf(text, own))).toEqual(nothing);
  expect(await comparePact(await readPact(), ours)).toEqual(nothing);
});

it.each([
  ["      in: header\n      required: false", "      in: header\n      required: true", /GET .*x-us-env/],
  ['enum: ["true", "false"]', 'enum: ["1"]', /GET .*'"true"' is not assignable to type '"1"'/],
  ["      required: [success]\n", "", /logout: status 200: .*success/],
  [
    "  /v1/auth/logout:\n    post:\n",
    "  /v1/auth/logout:\n    post:\n      requestBody: { required: true, content: { application/json: { schema: {} } } }\n",
    /logout: requestBody: /,
  ],
  // A provider that accepts more, or promises more, breaks nothing.
  ["      required: [email, password]", "      required: [email]", undefined],
  ['enum: ["true", "false"]', 'enum: ["true", "false", "1"]', undefined],
  ["      required: [id]", "      required: [id, verificationState]", undefined],
])("judges one change of the specification: %j", async (from, to, says) => {
  expect(text).toContain(from);
  const { contradictions } = await compareDocuments(ours, documentOf(text.replaceAll(from, to), own));
  if (says) expect(contradictions).toContainEqual(expect.stringMatching(says));
  else expect(contradictions).toEqual([]);
});

describe("scripts/spec-compare.ts", () => {
  it("accepts an address, and fails on a contradiction", async () => {
    const document = await readFile(contradicting, "utf8");
    const { url, close } = await startServer({ app: { fetch: () => new Response(document) } });
    const ran = await runHere("spec-compare", [`${url}/openapi.yaml`]).finally(close);
    expect(ran).toMatchObject({ code: 1, err: "" });
    expect(ran.out).toContain("The specification\nContradicts: 11\n  POST /v1/auth/login/otp: ");
    expect(ran.out).toContain("The contract\nContradicts: ");
  });

  it("with --since names breaking changes of the specification, as warnings on GitHub", async () => {
    const home = await mkdtemp(join(tmpdir(), "since-"));
    await mkdir(dirname(join(home, own)));
    const git = (...args: string[]) =>
      execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], { cwd: home });
    await writeFile(join(home, own), text);
    git("init", "--quiet");
    git("add", ".");
    git("commit", "--quiet", "--message", "The first");
    const quiet = await runScript("spec-compare", ["--since", "HEAD"], {}, home);
    await writeFile(join(home, own), text.replace("  /v1/user:", "  /v1/me:"));
    const ran = await runScript("spec-compare", ["--since", "HEAD"], { GITHUB_ACTIONS: "true" }, home);
    await rm(home, { recursive: true });
    expect(quiet).toMatchObject({ code: 0, err: "", out: expect.stringMatching(/^No change of the spec/) });
    const out = `::warning file=${own}::breaking: GET /v1/user: the operation is missing\n`;
    expect(ran).toEqual({ code: 1, err: "", out });
  });

  it.each([
    { args: [], says: "One document is compared" },
    { args: ["a.yaml", "--since", "HEAD"], says: "One document is compared" },
    { args: ["--since=--output=x"], says: "openapi/baanx-auth.openapi.yaml does not exist at the commit" },
  ])("refuses wrong usage in one line: $args", async ({ args, says }) => {
    const ran = await runHere("spec-compare", args);
    expect(ran).toMatchObject({ code: 2, out: "", err: expect.stringMatching(/^spec-compare: [^\n]+\n$/) });
    expect(ran.err).toContain(says);
  });
});

it.each([
  { source: "nowhere.yaml", says: "nowhere.yaml cannot be read." },
  { source: join(root, "package.json"), says: "package.json is not an OpenAPI 3.x document." },
  { source: join(root, "README.md"), says: "README.md is neither YAML nor JSON." },
  { source: "http://127.0.0.1:1/", says: "The document cannot be fetched: the server did not answer." },
  { source: "http://api.example/", says: "must begin with https://" },
])("refuses a document that cannot be compared: $says", async ({ source, says }) => {
  await expect(readDocument(source)).rejects.toThrow(says);
});

it("refuses a document in several files, and names the tool that bundles them", () => {
  const parts = text.replaceAll('"#/components/schemas/User"', '"./user.yaml"');
  expect(() => documentOf(parts, own)).toThrow("`npx redocly bundle`");
});
