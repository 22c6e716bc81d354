/**
 * Which build this is: commit, branch and the address of its log, as env-ci reads them from the pipeline, or else
 * from git. A person may say otherwise. Where each came from is part of the answer, since it is shown.
 */
import { spawnSync } from "node:child_process";
import envCi from "env-ci";
import { UsageError } from "../command.ts";
import { fieldsOf } from "../pact-file.ts";
import type { Environment } from "../target.ts";

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

/** What a build is told by, if somebody tells it, and what to do where nobody and nothing does. */
interface Naming {
  version: string;
  branch: string;
}

const flags: Naming = { version: "--version", branch: "--branch" };

/** @throws UsageError when the commit or the branch cannot be told */
export function buildFrom(
  environment: Environment,
  given: GivenBuild,
  isDirty = false,
  named = flags,
): Build {
  const found = pipelineOf(environment);
  const version = given.version ?? (found.commit && isDirty ? `${found.commit}-dirty` : found.commit);
  const branch = given.branch ?? found.branch;
  if (!version) throw new UsageError(`No commit is known here: ${named.version} says which it is.`);
  if (!branch) throw new UsageError(`No branch is known here: ${named.branch} says which it is.`);
  // What starts with a hyphen would be a flag to Pact's command line.
  for (const [name, value] of Object.entries({ version, branch }))
    if (!/^[\w.+/@#][\w.+/@#-]*$/.test(value))
      throw new UsageError(
        `The ${name} may have letters, digits and . _ + / @ # -, and must not begin with a hyphen.`,
      );
  const buildUrl = given["build-url"] ?? found.buildUrl;
  if (buildUrl !== undefined && !/^https?:\/\//.test(buildUrl))
    throw new UsageError("The URL of the build must begin with https:// or http://.");
  const from = (key: "version" | "branch") => (given[key] === undefined ? found.name : named[key]);
  const origin = `version from ${from("version")}, branch from ${from("branch")}`;
  return { version, branch, buildUrl, origin };
}

export interface Pipeline {
  /** Of the CI system, or git. */
  name: string;
  isCi: boolean;
  commit: string | undefined;
  branch: string | undefined;
  buildUrl: string | undefined;
  /** The folder that the pipeline has checked out. */
  root: string | undefined;
}

export function pipelineOf(env: Environment): Pipeline {
  // Its types tell thirty CI systems apart, which is nothing that anybody here goes by.
  const found = fieldsOf(envCi({ env }));
  const text = (name: string) => {
    const value = found[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const isCi = found["isCi"] === true && text("name") !== undefined;
  // env-ci takes the ref of GitHub's pull request for its branch; and the name of a tag is of no branch.
  const isTag = text("tag") !== undefined || env["GITHUB_REF_TYPE"] === "tag";
  const branch = env["GITHUB_HEAD_REF"] || (text("prBranch") ?? text("branch"));
  return {
    name: text("name") ?? "git",
    isCi,
    commit: text("commit"),
    branch: isTag ? undefined : branch,
    buildUrl: text("jobUrl") ?? text("buildUrl"),
    root: text("root"),
  };
}

/** What git says has changed, or is not committed; nothing when the tree is clean. */
export function uncommitted(): string[] {
  const { status, stdout } = spawnSync("git", ["status", "--porcelain"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return status === 0 ? stdout.split("\n").filter(Boolean) : [];
}
