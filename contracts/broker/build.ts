/**
 * Identifies the build (commit, branch, address of its log) from the pipeline by env-ci, or from git. Checks that the
 * files are those of the commit: nothing is published under an unproven version.
 */
import { spawnSync } from "node:child_process";
import { basename, dirname, resolve } from "node:path";
import envCi from "env-ci";
import { fieldsOf } from "../../src/cli/pact-replay.ts";
import { UsageError } from "../command.ts";
import type { Environment } from "../target.ts";
import type { Settings } from "./settings.ts";

export interface Build {
  version: string;
  branch: string;
  buildUrl: string | undefined;
  /** The sources of version and branch, for messages. */
  origin: string;
}

export interface GivenBuild {
  version?: string | undefined;
  branch?: string | undefined;
  "build-url"?: string | undefined;
}

/** Prefix of provider versions that are the sandbox, which proves nothing about Baanx. */
export const referencePrefix = "reference-";

const repository = resolve(import.meta.dirname, "../..");
const providerNames = { version: "PROVIDER_VERSION", branch: "PROVIDER_BRANCH" };

/** @throws UsageError if commit or branch is unknown, or would be read as a flag by Pact's command line */
export function buildFrom(
  environment: Environment,
  given: GivenBuild,
  named = { version: "--version", branch: "--branch" },
): Build {
  const found = pipelineOf(environment);
  const version = given.version ?? found.commit;
  const branch = given.branch === undefined ? found.branch : withoutRemote(given.branch);
  if (!version) throw new UsageError(`The commit is not known here: set ${named.version}.`);
  if (!branch) throw new UsageError(`The branch is not known here: set ${named.branch}.`);
  for (const [name, value] of Object.entries({ version, branch }))
    if (/^-|\p{Cc}/u.test(value))
      throw new UsageError(`The ${name} must not begin with a hyphen or hold control characters.`);
  const { "build-url": buildUrl = found.buildUrl } = given;
  if (buildUrl !== undefined && !/^https?:\/\//.test(buildUrl))
    throw new UsageError("The URL of the build must begin with https:// or http://.");
  const from = (key: "version" | "branch") => (given[key] === undefined ? found.name : named[key]);
  const origin = `version from ${from("version")}, branch from ${from("branch")}`;
  return { version, branch, buildUrl, origin };
}

function pipelineOf(env: Environment) {
  // env-ci has a type for each of thirty CI systems. These fields are common to them.
  const found = fieldsOf(envCi({ env }));
  const text = (name: string, pattern = /./) => {
    const value = found[name];
    return typeof value === "string" && pattern.test(value) ? value : undefined;
  };
  // For GitHub's pull requests env-ci returns the ref as branch. Tags do not belong to a branch.
  const isTag = text("tag") !== undefined || env["GITHUB_REF_TYPE"] === "tag";
  const branch = env["GITHUB_HEAD_REF"] || (text("prBranch") ?? text("branch"));
  return {
    /** The CI system, or git. */
    name: text("name") ?? "git",
    isCi: found["isCi"] === true && text("name") !== undefined,
    commit: text("commit"),
    branch: isTag || branch === undefined ? undefined : withoutRemote(branch),
    // env-ci builds "undefined/…" from unset variables.
    buildUrl: text("jobUrl", /^https?:/) ?? text("buildUrl", /^https?:/),
    /** The folder of the pipeline's checkout. */
    root: text("root"),
  };
}

/** Removes the remote from Jenkins' branch name: otherwise a broker sees `origin/main` and `main` as two branches. */
function withoutRemote(branch: string): string {
  const { stdout } = spawnSync("git", ["remote"], { encoding: "utf8" });
  const remotes = new Set(["origin", ...(stdout ?? "").split("\n").filter(Boolean)]);
  const name = branch.replace(/^refs\/heads\/|^(refs\/)?remotes\//, "");
  const remote = [...remotes].find((one) => name.startsWith(`${one}/`));
  return remote === undefined ? name : name.slice(remote.length + 1);
}

/**
 * Returns the build whose contract is published, after proving that the files are those of its commit.
 *
 * @param files - the pact files that are published
 * @param allowDirty - publishes uncommitted files, under `<commit>-dirty` or the given version
 * @throws Error if git does not answer, a file differs from the commit, or the pipeline names another commit
 */
export function provenBuild(
  environment: Environment,
  given: GivenBuild,
  files: readonly string[],
  allowDirty: boolean,
): Build {
  const build = buildFrom(environment, given);
  // The version is given, so there is nothing to prove.
  if (allowDirty && given.version !== undefined) return build;
  const head = git(["rev-parse", "HEAD"], files);
  const isCommit = given.version === undefined || /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(given.version);
  if (isCommit && build.version !== head)
    throw new Error(
      `The files are of the commit ${head}, and the ${build.origin.split(",", 1)[0]} is ${build.version}: check out that commit, or give --version ${head} and its --branch.`,
    );
  const changed = git(["status", "--porcelain"], files).split("\n").filter(Boolean).length;
  // Covers files that `git status` omits: ignored, outside the repository, or assumed unchanged.
  const isCommitted = (file: string) =>
    git(["ls-tree", "HEAD", "--", basename(file)], [file]).includes(
      ` ${git(["hash-object", basename(file)], [file])}\t`,
    );
  if (changed === 0 && files.every(isCommitted)) return build;
  if (allowDirty) return { ...build, version: `${build.version}-dirty` };
  throw new Error(
    "Something is not committed, so the commit is not what would be published: commit it, or give --allow-dirty.",
  );
}

function git(args: readonly string[], [file = "."]: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync("git", ["-C", dirname(file), ...args], {
    encoding: "utf8",
  });
  if (status === 0) return stdout.trim();
  const reason = error ? "it cannot be started" : stderr.trim().split("\n", 1)[0];
  throw new Error(`git cannot name the commit (${reason}): fix that, or give --version with --allow-dirty.`);
}

/** Returns the provider's branch, if known. The broker selects contracts by it. */
export function providerBranch(environment: Environment): string | undefined {
  const { PROVIDER_BRANCH: told } = environment;
  if (told) return withoutRemote(told);
  return isProviders(environment) ? pipelineOf(environment).branch : undefined;
}

/**
 * Decides whether and as what results are published. Results of the sandbox go only to a broker on loopback, under a
 * version that says so: anywhere else they would be false evidence.
 *
 * @throws UsageError if these results may not be published there, or their provider is unknown
 */
export function publicationFrom(
  environment: Environment,
  { isLoopback }: Pick<Settings, "isLoopback">,
): Build {
  const version = environment["PROVIDER_VERSION"] || undefined;
  const branch = environment["PROVIDER_BRANCH"] || undefined;
  if (!environment["PROVIDER_BASE_URL"]) {
    if (!isLoopback)
      throw new UsageError(
        "Results of the sandbox are published to a broker on loopback only: set PROVIDER_BASE_URL, PROVIDER_VERSION and PROVIDER_BRANCH, or give --no-publish.",
      );
    // The sandbox is part of this repository, so it shares its commit and branch.
    const build = buildFrom(environment, { version, branch }, providerNames);
    return { ...build, version: `${referencePrefix}${build.version}` };
  }
  if (version?.startsWith(referencePrefix))
    throw new UsageError(`A PROVIDER_VERSION that begins with "${referencePrefix}" is the sandbox's.`);
  if ((!version || !branch) && !isProviders(environment))
    throw new UsageError(
      "Set PROVIDER_VERSION and PROVIDER_BRANCH, since this is not a pipeline of the provider; or give --no-publish.",
    );
  return buildFrom(environment, { version, branch }, providerNames);
}

/** Checks that the pipeline builds the provider: in one of this repository, commit and branch are the consumer's. */
function isProviders(environment: Environment): boolean {
  const { isCi, root } = pipelineOf(environment);
  return isCi && root !== undefined && resolve(root) !== repository;
}

/** Describes a build in one line. */
export function shownBuild(of: string, { version, branch, buildUrl, origin }: Build): string {
  return `version ${version} of ${of}, branch ${branch}${buildUrl ? `, built by ${buildUrl}` : ""} (${origin})`;
}
