/**
 * Which build this is: commit, branch and the address of its log, from what CI systems set, or else from git.
 * A person may say otherwise, by flags.
 */
import { spawnSync } from "node:child_process";
import { type Environment, UsageError } from "../target.ts";

export interface Build {
  version: string;
  branch: string;
  buildUrl: string | undefined;
}

export interface GivenBuild {
  version?: string | undefined;
  branch?: string | undefined;
  "build-url"?: string | undefined;
}

/** @throws UsageError when the commit or the branch cannot be told */
export function buildFrom(environment: Environment, given: GivenBuild, isDirty = false): Build {
  const version = given.version ?? commitOf(environment, isDirty);
  const branch = given.branch ?? branchOf(environment);
  if (!version) throw new UsageError("This is no git repository: give --version.");
  if (!branch) throw new UsageError("No branch is checked out: give --branch.");
  // What starts with a hyphen would be a flag to Pact's command line.
  for (const [name, value] of Object.entries({ version, branch }))
    if (!/^[\w.+/@#][\w.+/@#-]*$/.test(value))
      throw new UsageError(`The ${name} has characters it may not have.`);
  const buildUrl = given["build-url"] ?? buildUrlOf(environment);
  if (buildUrl !== undefined && !/^https?:\/\//.test(buildUrl))
    throw new UsageError("The URL of the build is no URL.");
  return { version, branch, buildUrl };
}

/** What git says has changed, or is not committed; nothing when the tree is clean. */
export function uncommitted(): string[] {
  return git("status", "--porcelain")?.split("\n").filter(Boolean) ?? [];
}

/** A contract that differs from its commit's must not take its version. */
function commitOf({ GITHUB_SHA, CI_COMMIT_SHA }: Environment, isDirty: boolean): string | undefined {
  const commit = GITHUB_SHA || CI_COMMIT_SHA || git("rev-parse", "HEAD");
  return commit && isDirty ? `${commit}-dirty` : commit;
}

/** In CI no branch is checked out. The name that GitHub gives to a pull request is of no branch. */
function branchOf({ GITHUB_HEAD_REF, GITHUB_REF_NAME, CI_COMMIT_REF_NAME }: Environment): string | undefined {
  return (
    GITHUB_HEAD_REF || GITHUB_REF_NAME || CI_COMMIT_REF_NAME || git("branch", "--show-current") || undefined
  );
}

function buildUrlOf(environment: Environment): string | undefined {
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID, CI_JOB_URL } = environment;
  if (GITHUB_SERVER_URL && GITHUB_REPOSITORY && GITHUB_RUN_ID)
    return `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`;
  return CI_JOB_URL || undefined;
}

function git(...args: string[]): string | undefined {
  const { status, stdout } = spawnSync("git", args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return status === 0 ? stdout.trim() : undefined;
}
