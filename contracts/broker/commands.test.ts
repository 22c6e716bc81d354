/** What the commands decide before, or without, a broker: addresses, versions, whose results go where. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runScript } from "../fixtures/run.ts";
import { redact } from "../target.ts";
import { providerBranch, publicationFrom } from "../verification/publication.ts";
import { buildFrom } from "./build.ts";
import { settingsFrom } from "./settings.ts";
import { as } from "./testing/scene.ts";
import { webhookFor } from "./webhook.ts";

const nowhere = { PACT_BROKER_BASE_URL: "https://broker.example" };

describe("the settings", () => {
  it.each([
    [{}, "PACT_BROKER_BASE_URL is not set: "],
    [{ PACT_BROKER_BASE_URL: "broker" }, "PACT_BROKER_BASE_URL must be a URL"],
    [{ PACT_BROKER_BASE_URL: "http://broker.example" }, "PACT_BROKER_BASE_URL must begin with https://"],
    [
      { PACT_BROKER_BASE_URL: "https://me:secret@broker.example" },
      "leave out credentials, query and fragment",
    ],
    [{ ...nowhere, PACT_BROKER_USERNAME: "me" }, "Set both"],
    [
      { ...nowhere, PACT_BROKER_TOKEN: "t", PACT_BROKER_USERNAME: "me", PACT_BROKER_PASSWORD: "p" },
      "not both.",
    ],
  ])("refuse %j, and quote no secret", (environment, message) => {
    expect(() => settingsFrom(environment)).toThrow(message);
    expect(() => settingsFrom(environment)).not.toThrow("secret@");
  });

  it("take a variable that is set to nothing as not set", () => {
    const empty = { PACT_BROKER_TOKEN: "", PACT_BROKER_USERNAME: "", PACT_BROKER_PASSWORD: "" };
    expect(settingsFrom({ ...nowhere, ...empty })).toMatchObject({
      authorization: undefined,
      variables: nowhere,
    });
  });

  it("leave the credentials out of what is shown, in each of their forms", () => {
    const user = { PACT_BROKER_USERNAME: "me", PACT_BROKER_PASSWORD: "hidden-word" };
    const settings = settingsFrom({ ...nowhere, ...user });
    expect(redact(`hidden-word ${settings.authorization}`, settings)).toBe("[secret] Basic [secret]");
  });
});

describe("a webhook", () => {
  it.each([
    ["ci.example", "https, or http on loopback"],
    ["http://ci.example/build", "https, or http on loopback"],
    ["https://me:secret@ci.example/build", "--url has credentials"],
  ])("to %s is refused", (url, message) => {
    expect(() => webhookFor(url, undefined)).toThrow(message);
  });

  it("that is refused quotes no credentials", () => {
    expect(() => webhookFor("https://me:secret@ci.example/build", undefined)).not.toThrow(/me|secret@/);
  });
});

describe("the results of the sandbox", () => {
  const given = { PROVIDER_VERSION: "1", PROVIDER_BRANCH: "main" };

  it("go to a broker on loopback, under a version that says whose they are", () => {
    expect(publicationFrom(given, { isLoopback: true })).toMatchObject({
      version: "reference-1",
      branch: "main",
    });
  });

  it("go nowhere else", () => {
    expect(() => publicationFrom(given, { isLoopback: false })).toThrow("to a broker on loopback only");
  });

  it("are not passed off as another provider's", () => {
    const other = { PROVIDER_BASE_URL: "https://dev.api.baanx.com", PROVIDER_VERSION: "reference-1" };
    expect(() => publicationFrom(other, { isLoopback: false })).toThrow("is the sandbox's");
  });

  it("need no PROVIDER_VERSION; another provider's do, outside its own pipeline", () => {
    const other = { PROVIDER_BASE_URL: "https://dev.api.baanx.com" };
    const missing = (of: object) => () => publicationFrom({ ...other, ...of }, { isLoopback: true });
    expect(missing({})).toThrow("PROVIDER_VERSION and PROVIDER_BRANCH must say whose results");
    expect(missing({ PROVIDER_VERSION: "2" })).toThrow("PROVIDER_BRANCH must say whose results");
    expect(missing({ PROVIDER_BRANCH: "main" })).toThrow("PROVIDER_VERSION must say whose results");
    const told = { ...other, PROVIDER_VERSION: "2", PROVIDER_BRANCH: "main" };
    expect(publicationFrom(told, { isLoopback: false })).toMatchObject({
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

  it("are of its commit and branch", () => {
    expect(publicationFrom(pipeline, { isLoopback: false })).toEqual({
      version: "abc",
      branch: "feature/x",
      buildUrl: "https://github.example/provider/api/actions/runs/7",
      origin: "version from GitHub Actions, branch from GitHub Actions",
    });
    expect(providerBranch(pipeline)).toBe("feature/x");
  });

  it("are not of the commit of a pipeline that builds this repository", () => {
    const own = { ...pipeline, GITHUB_WORKSPACE: process.cwd() };
    expect(() => publicationFrom(own, { isLoopback: false })).toThrow("no pipeline of the provider is known");
    expect(providerBranch(own)).toBeUndefined();
  });
});

describe("the build", () => {
  const github = {
    ...{ GITHUB_ACTIONS: "true", GITHUB_SHA: "abc", GITHUB_REF: "refs/heads/main" },
    ...{ GITHUB_SERVER_URL: "https://github.example", GITHUB_REPOSITORY: "me/it", GITHUB_RUN_ID: "7" },
  };

  it("is what the pipeline says", () => {
    const buildUrl = "https://github.example/me/it/actions/runs/7";
    const origin = "version from GitHub Actions, branch from GitHub Actions";
    expect(buildFrom(github, {})).toEqual({ version: "abc", branch: "main", buildUrl, origin });
    const gitlab = {
      ...{ GITLAB_CI: "true", CI_COMMIT_SHA: "def", CI_COMMIT_REF_NAME: "work" },
      ...{ CI_PROJECT_URL: "https://gitlab.example/it", CI_JOB_ID: "1" },
    };
    expect(buildFrom(gitlab, { branch: "mine" })).toEqual({
      version: "def",
      branch: "mine",
      buildUrl: "https://gitlab.example/it/-/jobs/1",
      origin: "version from GitLab CI/CD, branch from --branch",
    });
    const jenkins = { JENKINS_URL: "https://ci.example", GIT_COMMIT: "fed", GIT_BRANCH: "main" };
    expect(buildFrom(jenkins, {})).toMatchObject({ version: "fed", branch: "main" });
  });

  it("of a pull request is of the branch that is to be merged", () => {
    const pull = { ...github, GITHUB_EVENT_NAME: "pull_request", GITHUB_REF: "refs/pull/7/merge" };
    expect(buildFrom({ ...pull, GITHUB_HEAD_REF: "feature/x" }, {}).branch).toBe("feature/x");
  });

  it("of a tag has no branch until it is told one", () => {
    const tagged = { ...github, GITHUB_REF: "refs/tags/v1", GITHUB_REF_TYPE: "tag" };
    expect(() => buildFrom(tagged, {})).toThrow("No branch is known here: --branch says which it is.");
    expect(buildFrom(tagged, { branch: "main" }).branch).toBe("main");
  });

  it("of a dirty tree does not take the version of its commit", () => {
    expect(buildFrom(github, {}, true).version).toBe("abc-dirty");
  });

  it("has no version that would be a flag", () => {
    expect(() => buildFrom(github, { version: "--broker-base-url=x" })).toThrow(
      "must not begin with a hyphen",
    );
  });
});

describe("a command", () => {
  it("shows with --dry-run what it would send, and sends nothing", async () => {
    const secret = { PACT_BROKER_TOKEN: "not-to-be-shown" };
    const here = { PACT_BROKER_BASE_URL: "http://127.0.0.1:1", ...secret };
    const runs = await Promise.all([
      runScript("contracts-publish", [...as("c1"), "--dry-run"], { ...nowhere, ...secret }),
      runScript("contracts-can-i-release", ["--version", "c1", "--dry-run"], { ...nowhere, ...secret }),
      runScript("contracts-record-release", ["--version", "c1", "--dry-run"], { ...nowhere, ...secret }),
      runScript("contracts-record-release", ["--support-ended", "--version", "c1", "--dry-run"], {
        ...nowhere,
        ...secret,
      }),
      runScript("contracts-verify", ["--from-broker", "--dry-run"], { ...here, PROVIDER_BRANCH: "main" }),
    ]);
    for (const ran of runs) {
      expect(ran).toMatchObject({ code: 0, err: "", out: expect.stringMatching(/^Would /) });
      expect(ran.out).not.toContain("not-to-be-shown");
    }
    expect(runs[0].out).toContain(
      "version c1 of baanx-session, branch main (version from --version, branch from --branch)\n  baanx-session-baanx-auth-api.json\n",
    );
  });

  it("has nothing to publish from an empty folder", async () => {
    const folder = await mkdtemp(join(tmpdir(), "baanx-session-empty-"));
    const ran = await runScript("contracts-publish", [...as("c1"), "--pacts", folder], nowhere);
    await rm(folder, { recursive: true });
    const err = expect.stringMatching(/^contracts:publish: Nothing to publish: .*\n$/);
    expect(ran).toEqual({ code: 1, out: "", err });
  });

  it("does not publish a dirty tree unless it is told to", async () => {
    const folder = await mkdtemp(join(tmpdir(), "baanx-session-tree-"));
    // A repository that holds none of these files: all of them are new to it.
    const git = { GIT_DIR: folder, GIT_WORK_TREE: join(process.cwd(), "contracts", "pacts") };
    spawnSync("git", ["init", "--bare", "--quiet", folder]);
    const ran = await runScript("contracts-publish", ["--version", "c1", "--branch", "b", "--dry-run"], {
      ...nowhere,
      ...git,
    });
    await rm(folder, { recursive: true });
    expect(ran).toMatchObject({ code: 1, out: "", err: expect.stringContaining("give --allow-dirty") });
  });

  it("says at once that nothing listens there", async () => {
    const closed = { PACT_BROKER_BASE_URL: "http://127.0.0.1:1" };
    const ran = await runScript("contracts-publish", as("c1"), closed);
    const err = expect.stringMatching(
      /^contracts:publish: No Pact Broker answers at http:\/\/127\.0\.0\.1:1: .+\n$/,
    );
    expect(ran).toEqual({ code: 1, out: "", err });
  });

  it("gives up after 10 s on what listens and does not answer", async () => {
    const server = createServer(() => {}).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : "";
    const ran = await runScript("contracts-publish", as("c1"), {
      PACT_BROKER_BASE_URL: `http://127.0.0.1:${port}`,
    });
    server.close();
    server.closeAllConnections();
    expect(ran).toMatchObject({ code: 1, out: "", err: expect.stringContaining("nothing for 10 s.\n") });
  });

  it("takes no credentials by flags", async () => {
    const ran = await runScript("contracts-publish", ["--token", "mine"], nowhere);
    expect(ran).toMatchObject({ code: 2, out: "", err: expect.stringContaining("'--token'") });
    expect(ran.err).not.toContain("mine");
  });

  it("that needs Ruby says what to install where there is none, and offers Docker", async () => {
    const ran = await runScript("broker", [], { PATH: "/nowhere" });
    expect(ran).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringMatching(/^broker: Ruby is missing: .*compose/),
    });
  });
});
