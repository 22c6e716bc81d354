/** Decisions of the commands that need no broker: addresses, versions, and which results go to which broker. */
import { execFileSync } from "node:child_process";
import { appendFile, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startServer } from "../../src/sandbox/server.ts";
import { runHere } from "../fixtures/here.ts";
import { runScript } from "../fixtures/run.ts";
import { recordedPact } from "../pact-file.ts";
import { redact } from "../target.ts";
import { buildFrom, providerBranch, publicationFrom } from "./build.ts";
import { settingsFrom } from "./settings.ts";
import { as } from "./testing/scene.ts";

const nowhere = { PACT_BROKER_BASE_URL: "https://broker.example" };

describe("the settings", () => {
  it.each([
    [{}, "PACT_BROKER_BASE_URL is not set: "],
    [{ PACT_BROKER_BASE_URL: "broker" }, "PACT_BROKER_BASE_URL must be a URL"],
    [{ PACT_BROKER_BASE_URL: "http://pact-broker:9292" }, "PACT_BROKER_ALLOW_HTTP=true allows http"],
    [{ PACT_BROKER_BASE_URL: "https://me:secret@broker.example" }, "leave out credentials"],
    [{ ...nowhere, PACT_BROKER_USERNAME: "me" }, "Set both"],
    [
      { ...nowhere, PACT_BROKER_TOKEN: "t", PACT_BROKER_USERNAME: "me", PACT_BROKER_PASSWORD: "p" },
      "not both.",
    ],
  ])("refuse %j, and quote no secret", (environment, message) => {
    expect(() => settingsFrom(environment)).toThrow(message);
    expect(() => settingsFrom(environment)).not.toThrow("secret@");
  });

  it("accept http inside a network if PACT_BROKER_ALLOW_HTTP allows it", () => {
    const http = { PACT_BROKER_BASE_URL: "http://pact-broker:9292", PACT_BROKER_ALLOW_HTTP: "true" };
    expect(settingsFrom(http)).toMatchObject({ baseUrl: "http://pact-broker:9292", isLoopback: false });
  });

  it("ignore an empty variable, and redact each form of the credentials", () => {
    const empty = { PACT_BROKER_TOKEN: "", PACT_BROKER_USERNAME: "", PACT_BROKER_PASSWORD: "" };
    expect(settingsFrom({ ...nowhere, ...empty })).toMatchObject({
      hasCredentials: false,
      variables: nowhere,
    });
    const settings = settingsFrom({ ...nowhere, PACT_BROKER_USERNAME: "me", PACT_BROKER_PASSWORD: "hidden" });
    expect(redact(`hidden Basic ${btoa("me:hidden")}`, settings)).toBe("[secret] Basic [secret]");
  });
});

describe("the results of the sandbox", () => {
  const given = { PROVIDER_VERSION: "1", PROVIDER_BRANCH: "main" };

  it("go to a broker on loopback, under a version that names the sandbox", () => {
    const publication = publicationFrom(given, { isLoopback: true });
    expect(publication).toMatchObject({ version: "reference-1", branch: "main" });
  });

  it("go to no other broker", () => {
    expect(() => publicationFrom(given, { isLoopback: false })).toThrow("to a broker on loopback only");
  });

  it("cannot be published as another provider's, which needs its own version and branch", () => {
    const other = { PROVIDER_BASE_URL: "https://dev.api.baanx.com" };
    const publication = (of: object) => publicationFrom({ ...other, ...of }, { isLoopback: false });
    expect(() => publication({ PROVIDER_VERSION: "reference-1" })).toThrow("is the sandbox's");
    for (const missing of [{}, { PROVIDER_VERSION: "2" }, { PROVIDER_BRANCH: "main" }])
      expect(() => publication(missing)).toThrow("Set PROVIDER_VERSION and PROVIDER_BRANCH");
    expect(publication({ PROVIDER_VERSION: "2", PROVIDER_BRANCH: "origin/main" })).toMatchObject({
      version: "2",
      branch: "main",
      origin: "version from PROVIDER_VERSION, branch from PROVIDER_BRANCH",
    });
  });
});

describe("the results of a provider in its own pipeline", () => {
  const pipeline = {
    ...{ GITHUB_ACTIONS: "true", GITHUB_SHA: "abc", GITHUB_REF: "refs/heads/feature/x" },
    ...{ GITHUB_SERVER_URL: "https://github.example", GITHUB_REPOSITORY: "provider/api", GITHUB_RUN_ID: "7" },
    ...{ PROVIDER_BASE_URL: "http://127.0.0.1:8080", GITHUB_WORKSPACE: "/home/runner/work/api" },
  };

  it("use its commit and branch", () => {
    expect(publicationFrom(pipeline, { isLoopback: false })).toEqual({
      version: "abc",
      branch: "feature/x",
      buildUrl: "https://github.example/provider/api/actions/runs/7",
      origin: "version from GitHub Actions, branch from GitHub Actions",
    });
    expect(providerBranch(pipeline)).toBe("feature/x");
  });

  it("ignore the commit of a pipeline that builds this repository", () => {
    const own = { ...pipeline, GITHUB_WORKSPACE: process.cwd() };
    expect(() => publicationFrom(own, { isLoopback: false })).toThrow("not a pipeline of the provider");
    expect(providerBranch(own)).toBeUndefined();
  });
});

describe("the branch of a build", () => {
  const github = { GITHUB_ACTIONS: "true", GITHUB_SHA: "abc", GITHUB_REF: "refs/heads/main" };
  const jenkins = { JENKINS_URL: "https://ci.example", GIT_COMMIT: "fed" };

  it.each([
    ["is the one of GitHub", github, "main"],
    ["of a pull request is the one to be merged", { ...github, GITHUB_HEAD_REF: "feature/x" }, "feature/x"],
    ["is the one of GitLab", { GITLAB_CI: "true", CI_COMMIT_SHA: "d", CI_COMMIT_REF_NAME: "work" }, "work"],
    ["loses the remote that Jenkins names", { ...jenkins, GIT_BRANCH: "origin/main" }, "main"],
    ["loses it once", { ...jenkins, GIT_BRANCH: "origin/origin/main" }, "origin/main"],
    ["loses the prefix of a ref", { ...jenkins, GIT_BRANCH: "refs/remotes/origin/fix/1" }, "fix/1"],
    ["keeps a slash that is its own", { ...jenkins, GIT_BRANCH: "feature/origin" }, "feature/origin"],
  ])("%s", (_, environment, branch) => {
    expect(buildFrom(environment, {})).toMatchObject({ branch });
  });

  it.each(["feature/größe", "feat/a=b", "wip: two (words), 100%"])("may be called %s", (branch) => {
    expect(buildFrom(github, { branch }).branch).toBe(branch);
  });

  it.each([{ branch: "-x" }, { version: "--broker-base-url=x" }, { branch: "a\nb" }])(
    "or its version is refused as a flag, or with control characters: %j",
    (given) => {
      expect(() => buildFrom(github, given)).toThrow("must not begin with a hyphen");
    },
  );

  it("stays unknown for a tag", () => {
    const tagged = { ...github, GITHUB_REF: "refs/tags/v1", GITHUB_REF_TYPE: "tag" };
    expect(() => buildFrom(tagged, {})).toThrow("The branch is not known here: set --branch.");
    expect(buildFrom(tagged, { branch: "main" }).branch).toBe("main");
  });
});

describe("contracts:publish", () => {
  let folder: string;
  let head: string;
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
      cwd: folder,
      encoding: "utf8",
    }).trim();
  const given = ["--version", "c1", "--branch", "b"];
  const dryRun = (environment: Record<string, string> = {}, ...args: string[]) =>
    runScript(
      "contracts-publish",
      ["--dry-run", "--pacts", join(folder, "pacts"), ...args],
      { ...nowhere, ...environment },
      folder,
    );

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "baanx-session-tree-"));
    await mkdir(join(folder, "pacts"));
    await cp(recordedPact, join(folder, "pacts", "pact.json"));
    await writeFile(join(folder, ".gitignore"), "ignored/\n");
    git("init", "--quiet", "--initial-branch", "main");
    git("add", ".");
    git("commit", "--quiet", "--message", "The contract");
    head = git("rev-parse", "HEAD");
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("publishes under the commit of a clean tree, and under the commit of the pipeline's checkout", async () => {
    const ran = await dryRun();
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(ran.out).toContain(
      `version ${head} of baanx-session, branch main (version from git, branch from git)`,
    );
    const own = { GITHUB_ACTIONS: "true", GITHUB_SHA: head, GITHUB_REF: "refs/heads/main" };
    expect(await dryRun(own)).toMatchObject({ code: 0, err: "" });
  });

  it.each([
    ["git cannot be started", { PATH: "/nowhere" }, given, "it cannot be started"],
    ["git does not trust the folder", { GIT_TEST_ASSUME_DIFFERENT_OWNER: "1" }, given, "dubious ownership"],
    [
      "the pipeline names another commit",
      { GITHUB_ACTIONS: "true", GITHUB_SHA: "a".repeat(40), GITHUB_REF: "refs/heads/main" },
      [],
      `and the version from GitHub Actions is ${"a".repeat(40)}: check out that commit`,
    ],
    ["another commit is given", {}, ["--version", "b".repeat(40)], "version from --version is bbb"],
  ])("refuses to publish if %s", async (_, environment, args, says) => {
    const ran = await dryRun(environment, ...args);
    const err = expect.stringMatching(/^contracts:publish: [^\n]+\n$/);
    expect(ran).toMatchObject({ code: 1, out: "", err });
    expect(ran.err).toContain(says);
  });

  it("refuses uncommitted files, and with --allow-dirty marks the version as dirty", async () => {
    await writeFile(join(folder, "new.txt"), "");
    const refused = await dryRun();
    const allowed = await dryRun({}, "--allow-dirty");
    await rm(join(folder, "new.txt"));
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("give --allow-dirty") });
    expect(allowed.out).toContain(`version ${head}-dirty of`);
  });

  it("refuses a contract that git ignores or assumes unchanged", async () => {
    await mkdir(join(folder, "ignored"));
    await cp(recordedPact, join(folder, "ignored", "pact.json"));
    const ignored = await dryRun({}, "--pacts", join(folder, "ignored"));
    git("update-index", "--assume-unchanged", "pacts/pact.json");
    await appendFile(join(folder, "pacts", "pact.json"), "\n");
    const assumed = await dryRun();
    git("update-index", "--no-assume-unchanged", "pacts/pact.json");
    git("checkout", "--quiet", "pacts/pact.json");
    for (const ran of [ignored, assumed])
      expect(ran).toMatchObject({ code: 1, out: "", err: expect.stringContaining("not committed") });
  });

  it("does not need git with --allow-dirty and a given version", async () => {
    const ran = await dryRun({ PATH: "/nowhere" }, "--allow-dirty", ...given);
    expect(ran).toMatchObject({ code: 0, err: "", out: expect.stringContaining("version c1 of") });
  });
});

describe("a command", () => {
  it("with --dry-run prints the request and does not send it", async () => {
    const secret = { PACT_BROKER_TOKEN: "not-to-be-shown" };
    const here = { PACT_BROKER_BASE_URL: "http://127.0.0.1:1", ...secret };
    const runs = [
      await runHere("contracts-publish", [...as("c1"), "--dry-run"], { ...nowhere, ...secret }),
      await runHere("contracts-can-i-release", ["--version", "c1", "--dry-run"], { ...nowhere, ...secret }),
      await runHere("contracts-verify", ["--from-broker", "--dry-run"], { ...here, PROVIDER_BRANCH: "main" }),
    ];
    for (const ran of runs) {
      expect(ran).toMatchObject({ code: 0, err: "", out: expect.stringMatching(/^Would /) });
      expect(ran.out).not.toContain("not-to-be-shown");
    }
  });

  it("reports an empty folder", async () => {
    const folder = await mkdtemp(join(tmpdir(), "baanx-session-empty-"));
    const ran = await runHere("contracts-publish", [...as("c1"), "--pacts", folder], nowhere);
    await rm(folder, { recursive: true });
    const err = expect.stringMatching(/^contracts:publish: Nothing to publish: .*\n$/);
    expect(ran).toEqual({ code: 1, out: "", err });
  });

  it.each([
    ["contracts-publish", as("c1")],
    ["contracts-can-i-release", ["--version", "c1", "--gate"]],
    ["contracts-verify", ["--from-broker"]],
  ] as const)("%s says in one line that nothing listens there", async (script, args) => {
    const closed = { PACT_BROKER_BASE_URL: "http://127.0.0.1:1", PROVIDER_BRANCH: "main" };
    const ran = await runHere(script, args, closed);
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/^contracts:\S+: No Pact Broker answers at http:\/\/127\.0\.0\.1:1: .+\n$/);
  });

  it("gives up after 30 s on a broker that listens and does not answer", async () => {
    const silence = () => new Promise<never>(() => {});
    const { url, close } = await startServer({ app: { fetch: silence } });
    const { setTimeout } = globalThis;
    // A timer of thirty seconds fires after one.
    const spy = vi
      .spyOn(globalThis, "setTimeout")
      .mockImplementation((run, ms) => setTimeout(run, ms === 30_000 ? 1_000 : ms));
    const ran = await runHere("contracts-publish", as("c1"), { PACT_BROKER_BASE_URL: url });
    spy.mockRestore();
    await close();
    expect(ran).toMatchObject({ code: 1, out: "", err: expect.stringContaining("within 30 s.\n") });
  });

  it("does not accept credentials as flags", async () => {
    const ran = await runHere("contracts-publish", ["--token", "mine"], nowhere);
    expect(ran).toMatchObject({ code: 2, out: "", err: expect.stringContaining("'--token'") });
    expect(ran.err).not.toContain("mine");
  });

  it("names the missing Ruby, and offers Docker", async () => {
    const ran = await runScript("broker", [], { PATH: "/nowhere" });
    const err = expect.stringMatching(/^broker: Ruby is missing: .*compose/);
    expect(ran).toMatchObject({ code: 1, out: "", err });
  });
});
