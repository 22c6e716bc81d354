/**
 * The rules for a release, by npm, the registry and the changesets action, and the order of its pipeline.
 * `npm test -- package` performs a whole release up to `npm publish --dry-run`.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { bundled } from "../scripts/bundled.ts";
import { originFrom, problemsOf, type Release, releasedChangelog, sbomOf } from "../scripts/release-rules.ts";

const root = resolve(import.meta.dirname, "..");
const origin = originFrom({ GITHUB_REPOSITORY: "example/fork" });

describe("where the package comes from", () => {
  it("equals the repository of the workflow that publishes it", () => {
    expect(origin).toEqual({
      repository: { type: "git", url: "git+https://github.com/example/fork.git" },
      homepage: "https://github.com/example/fork#readme",
      bugs: "https://github.com/example/fork/issues",
    });
    const server = { GITHUB_SERVER_URL: "https://github.example", GITHUB_REPOSITORY: "a/b" };
    expect(originFrom(server).bugs).toBe("https://github.example/a/b/issues");
  });

  it.each([undefined, "", "fork", "https://github.com/example/fork"])(
    "cannot be derived from %j",
    (repository) => {
      expect(() => originFrom({ GITHUB_REPOSITORY: repository })).toThrow("GITHUB_REPOSITORY must say");
    },
  );

  it("stays out of committed files, because a copy of this repository publishes as itself", () => {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(Object.keys(manifest)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(repository|homepage|bugs)$/)]),
    );
  });
});

describe("a release", () => {
  const release: Release = {
    version: "1.2.0",
    lock: { version: "1.2.0", packages: { "": { version: "1.2.0" } } },
    changelog: "# Changelog\n\n## Unreleased\n\n## 1.2.0\n\n### Added\n\n- This.\n\n## 1.1.0\n",
  };

  it("passes if npm and the changesets action would accept it", () => {
    expect(problemsOf(release)).toEqual([]);
  });

  const broken: { change: Partial<Release>; says: string }[] = [
    {
      change: { lock: { ...release.lock, version: "1.1.0" } },
      says: "package-lock.json is of version 1.1.0 and 1.2.0",
    },
    { change: { lock: { version: "1.2.0" } }, says: "package-lock.json is of version 1.2.0 and " },
    {
      change: { changelog: release.changelog.replace("## 1.2.0", "## [1.2.0]") },
      says: 'lacks the heading "## 1.2.0"',
    },
    {
      change: { changelog: release.changelog.replace("## 1.2.0", "## 1.2.0 - 2026-01-01") },
      says: "lacks the heading",
    },
    { change: { changelog: "## Unreleased\n\n- This.\n" }, says: "lacks the heading" },
    { change: { changelog: "## 1.2.0\n\n## 1.1.0\n\n- That.\n" }, says: "says nothing under" },
  ];

  it.each(broken)("has a problem if $says", ({ change, says }) => {
    expect(problemsOf({ ...release, ...change })).toEqual([expect.stringContaining(says)]);
  });

  it("moves unreleased changes in the changelog under its version", () => {
    const text = "# Changelog\n\n## Unreleased\n\n### Added\n\n- This.\n";
    const released = releasedChangelog(text, "1.2.0");
    expect(released).toBe("# Changelog\n\n## Unreleased\n\n## 1.2.0\n\n### Added\n\n- This.\n");
    expect(problemsOf({ ...release, changelog: released })).toEqual([]);
    expect(() => releasedChangelog(released, "1.3.0")).toThrow("says nothing");
  });
});

it("lists dependencies and bundled packages in its SBOM, without tools", {
  timeout: 60_000,
}, () => {
  const npm = spawnSync("npm", ["sbom", "--package-lock-only", "--sbom-format", "cyclonedx"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 100_000_000,
  });
  const { components, dependencies } = sbomOf(JSON.parse(npm.stdout), bundled);
  const names = components.map(({ name }) => name);
  expect(new Set(names)).toEqual(new Set(["openapi-fetch", "openapi-typescript-helpers", ...bundled]));
  expect(dependencies.find(({ ref }) => ref.startsWith("baanx-session@"))?.dependsOn).toContainEqual(
    expect.stringMatching(/^hono@/),
  );
});

describe("the pipeline of a release", () => {
  interface Job {
    needs?: string | string[];
    if?: string;
    environment?: string;
    permissions?: Record<string, string>;
    steps: { run?: string; uses?: string; with?: Record<string, string>; env?: Record<string, string> }[];
  }
  const { jobs }: { jobs: Record<string, Job> } = parse(
    readFileSync(join(root, ".github", "workflows", "release.yml"), "utf8"),
  );
  const said = (name: string) => (jobs[name]?.steps ?? []).map(({ run = "" }) => run).filter(Boolean);

  it("opens the pull request of a version without waiting for tests, gate or broker, and starts its checks", () => {
    expect(jobs["version"]?.needs).toBeUndefined();
    expect(said("version")).toEqual([
      "npm ci --ignore-scripts",
      "gh workflow run ci.yml --ref changeset-release/main",
    ]);
  });

  it("publishes the tested and approved tarball, in an environment, and runs no code of the repository", () => {
    expect(jobs["build"]?.if).toBe("needs.version.outputs.has-changesets == 'false'");
    const build = said("build");
    const place = (command: string) => build.findIndex((text) => text.startsWith(command));
    expect(place("npm test")).toBeGreaterThan(0);
    expect(place("npx --no -- tsx scripts/release-pack.ts")).toBeGreaterThan(place("npm test"));
    expect(jobs["publish"]).toMatchObject({ needs: ["build", "gate"], environment: "npm" });
    expect(said("publish")).toEqual([
      expect.stringMatching(/^gh run download /),
      "npm publish ./release/*.tgz --access public --ignore-scripts",
    ]);
    const used = jobs["publish"]?.steps.flatMap(({ uses = [] }) => uses) ?? [];
    expect(used).toEqual([expect.stringMatching(/^actions\/setup-node@/)]);
  });

  it("gives each right to one job, and does not use secrets of npm", () => {
    const holders = (right: string) =>
      Object.keys(jobs).filter((name) => jobs[name]?.permissions?.[right] === "write");
    expect(holders("id-token")).toEqual(["publish"]);
    expect(holders("contents")).toEqual(["version", "page"]);
    for (const name of ["publish", "page"])
      expect(said(name).join()).not.toMatch(/npm (ci|install|test|run)/);
    expect(JSON.stringify(jobs)).not.toContain("NPM_TOKEN");
  });
});
