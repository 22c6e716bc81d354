/**
 * Which build this is: commit, branch and the address of its log, as env-ci reads them from the pipeline, or else from
 * git; and whether the files at hand are that commit's. Nothing is published under a version that cannot be proven.
 */
import { spawnSync } from "node:child_process";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import envCi from "env-ci";
import { fieldsOf } from "../../src/cli/pact-replay.ts";
import { UsageError } from "../command.ts";
import { providerName } from "../states.ts";
import type { Environment } from "../target.ts";
import type { Settings } from "./settings.ts";

export interface Build {
  version: string;
  branch: string;
  buildUrl: string | undefined;
  /** Where version and branch are from, for a person. */
  origin: string;
}

export interface GivenBuild {
  version?: string | undefined;
  branch?: string | undefined;
  "build-url"?: string | undefined;
}

/** Versions of the provider that are the sandbox, which proves nothing about Baanx. */
export const referencePrefix = "reference-";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const providerNames = { version: "PROVIDER_VERSION", branch: "PROVIDER_BRANCH" };

/** @throws UsageError if the commit or the branch is not known, or would be a flag to Pact's command line */
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

interface Pipeline {
  /** Of the CI system, or git. */
  name: string;
  isCi: boolean;
  commit: string | undefined;
  branch: string | undefined;
  buildUrl: string | undefined;
  /** The folder that the pipeline has checked out. */
  root: string | undefined;
}

function pipelineOf(env: Environment): Pipeline {
  // Its types tell thirty CI systems apart; these fields are common to them.
  const found = fieldsOf(envCi({ env }));
  const text = (name: string, pattern = /./) => {
    const value = found[name];
    return typeof value === "string" && pattern.test(value) ? value : undefined;
  };
  // env-ci takes the ref of GitHub's pull request for its branch; and a tag has no branch.
  const isTag = text("tag") !== undefined || env["GITHUB_REF_TYPE"] === "tag";
  const branch = env["GITHUB_HEAD_REF"] || (text("prBranch") ?? text("branch"));
  return {
    name: text("name") ?? "git",
    isCi: found["isCi"] === true && text("name") !== undefined,
    commit: text("commit"),
    branch: isTag || branch === undefined ? undefined : withoutRemote(branch),
    // Of variables that are not set, env-ci makes "undefined/…".
    buildUrl: text("jobUrl", /^https?:/) ?? text("buildUrl", /^https?:/),
    root: text("root"),
  };
}

/** Jenkins names a branch with its remote, and a broker would take `origin/main` for another branch than `main`. */
function withoutRemote(branch: string): string {
  const { stdout } = spawnSync("git", ["remote"], { encoding: "utf8" });
  const remotes = new Set(["origin", ...(stdout ?? "").split("\n").filter(Boolean)]);
  const name = branch.replace(/^refs\/heads\/|^(refs\/)?remotes\//, "");
  const remote = [...remotes].find((one) => name.startsWith(`${one}/`));
  return remote === undefined ? name : name.slice(remote.length + 1);
}

/**
 * The build whose contract is published, once it is proven that the files are those of its commit.
 *
 * @param files - the pact files that are published
 * @param allowDirty - publishes what is not committed, under `<commit>-dirty` or the version that is given
 * @throws Error if git does not answer, a file is not the commit's, or the commit is not the pipeline's
 */
export function provenBuild(
  environment: Environment,
  given: GivenBuild,
  files: readonly string[],
  allowDirty: boolean,
): Build {
  const build = buildFrom(environment, given);
  // A version that was told, and nothing that has to be proven.
  if (allowDirty && given.version !== undefined) return build;
  const head = git(["rev-parse", "HEAD"], files);
  const isCommit = given.version === undefined || /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(given.version);
  if (isCommit && build.version !== head)
    throw new Error(
      `The files are of the commit ${head}, and the ${build.origin.split(",", 1)[0]} is ${build.version}: check out that commit, or give --version ${head} and its --branch.`,
    );
  const changed = git(["status", "--porcelain"], files).split("\n").filter(Boolean).length;
  // Also where git was told to look away: an ignored file, one of another folder, one that is assumed unchanged.
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
  throw new Error(
    `git does not say which commit this is (${reason}): mend that, or give --version with --allow-dirty.`,
  );
}

/** The branch of the provider's build as far as it is known: contracts are chosen by it. */
export function providerBranch(environment: Environment): string | undefined {
  const { PROVIDER_BRANCH: told } = environment;
  if (told) return withoutRemote(told);
  return isProviders(environment) ? pipelineOf(environment).branch : undefined;
}

/**
 * Whose results would be published. Those of the sandbox go to a broker on loopback only, under a version that says
 * so: anywhere else they would be false evidence.
 *
 * @throws UsageError if they may not be published there, or it is not known whose they are
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
    // It is a part of this repository, so that its commit and branch are the repository's.
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

/** In a pipeline that builds this repository, commit and branch are the consumer's. */
function isProviders(environment: Environment): boolean {
  const { isCi, root } = pipelineOf(environment);
  return isCi && root !== undefined && resolve(root) !== resolve(repository);
}

/** In one line, for a person. */
export function shownBuild(of: string, { version, branch, buildUrl, origin }: Build): string {
  return `version ${version} of ${of}, branch ${branch}${buildUrl ? `, built by ${buildUrl}` : ""} (${origin})`;
}

export const shownPublication = (build: Build): string => shownBuild(providerName, build);
