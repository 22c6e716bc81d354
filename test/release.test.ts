/**
 * What a release must be, by the rules of those who read it, and the order of its pipeline. That a release goes through,
 * up to what npm would send, is seen by `npm test -- package`.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { originFrom, problemsOf, type Release, releasedChangelog } from "../scripts/release-rules.ts";

const root = resolve(import.meta.dirname, "..");
const origin = originFrom({ GITHUB_REPOSITORY: "example/fork" });

describe("where the package comes from", () => {
  it("is the repository of the workflow that publishes it", () => {
    expect(origin).toEqual({
      repository: { type: "git", url: "git+https://github.com/example/fork.git" },
      homepage: "https://github.com/example/fork#readme",
      bugs: "https://github.com/example/fork/issues",
    });
    const server = { GITHUB_SERVER_URL: "https://github.example", GITHUB_REPOSITORY: "a/b" };
    expect(originFrom(server).bugs).toBe("https://github.example/a/b/issues");
  });

  it.each([undefined, "", "fork", "https://github.com/example/fork"])(
    "is not guessed from %j",
    (repository) => {
      expect(() => originFrom({ GITHUB_REPOSITORY: repository })).toThrow("GITHUB_REPOSITORY must say");
    },
  );

  it("is in no committed file, since a copy of this repository publishes as itself", () => {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(Object.keys(manifest)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(repository|homepage|bugs)$/)]),
    );
  });
});

describe("a release", () => {
  const release: Release = {
    manifest: { version: "1.2.0", ...origin },
    lock: { version: "1.2.0", packages: { "": { version: "1.2.0" } } },
    changelog: "# Changelog\n\n## Unreleased\n\n## 1.2.0\n\n### Added\n\n- This.\n\n## 1.1.0\n",
  };

  it("that npm, the registry and the changesets action would take has no problem", () => {
    expect(problemsOf(release, origin)).toEqual([]);
    const bare = { ...release.manifest, repository: { url: "https://github.com/example/fork" } };
    expect(problemsOf({ ...release, manifest: bare }, origin)).toEqual([]);
  });

  const broken: { change: Partial<Release>; says: string }[] = [
    { change: { manifest: { version: "1.2.0" } }, says: "repository.url is missing" },
    {
      change: { manifest: { ...release.manifest, repository: { url: "https://github.com/example/other" } } },
      says: "repository.url is https://github.com/example/other, and provenance wants git+https://github.com/example/fork.git",
    },
    {
      change: { lock: { ...release.lock, version: "1.1.0" } },
      says: "package-lock.json is of version 1.1.0 and 1.2.0",
    },
    { change: { lock: { version: "1.2.0" } }, says: "package-lock.json is of version 1.2.0 and " },
    {
      change: { changelog: release.changelog.replace("## 1.2.0", "## [1.2.0]") },
      says: 'no heading "## 1.2.0"',
    },
    {
      change: { changelog: release.changelog.replace("## 1.2.0", "## 1.2.0 - 2026-01-01") },
      says: "no heading",
    },
    { change: { changelog: "## Unreleased\n\n- This.\n" }, says: "no heading" },
    { change: { changelog: "## 1.2.0\n\n## 1.1.0\n\n- That.\n" }, says: "says nothing under" },
  ];

  it.each(broken)("has a problem where $says", ({ change, says }) => {
    expect(problemsOf({ ...release, ...change }, origin)).toEqual([expect.stringContaining(says)]);
  });

  it("takes over into the changelog what was not released, under its version and nothing else", () => {
    const text = "# Changelog\n\n## Unreleased\n\n### Added\n\n- This.\n";
    const released = releasedChangelog(text, "1.2.0");
    expect(released).toBe("# Changelog\n\n## Unreleased\n\n## 1.2.0\n\n### Added\n\n- This.\n");
    expect(problemsOf({ ...release, changelog: released }, origin)).toEqual([]);
    expect(() => releasedChangelog(released, "1.3.0")).toThrow("says nothing");
  });
});

describe("the pipeline of a release", () => {
  interface Job {
    needs?: string;
    if?: string;
    permissions: Record<string, string>;
    steps: { run?: string; uses?: string; with?: Record<string, string>; env?: Record<string, string> }[];
  }
  const { jobs }: { jobs: Record<string, Job> } = parse(
    readFileSync(join(root, ".github", "workflows", "release.yml"), "utf8"),
  );
  const said = (name: string) =>
    (jobs[name]?.steps ?? []).map(
      (step) => step.run ?? step.with?.["publish"] ?? step.with?.["version"] ?? "",
    );
  const at = (name: string, command: string) => said(name).findIndex((text) => text.startsWith(command));

  it("opens the pull request of a version without waiting for tests, gate or broker", () => {
    expect(jobs["version"]?.needs).toBeUndefined();
    expect(said("version").filter(Boolean)).toEqual(["npm ci", "npx tsx scripts/release-version.ts"]);
  });

  it("publishes what has no changesets any more, after tests and gate, with provenance", () => {
    expect(jobs["publish"]?.needs).toBe("version");
    expect(jobs["publish"]?.if).toBe("needs.version.outputs.has-changesets == 'false'");
    const order = ["npm test", "npm run contracts:can-i-release", "npx tsx scripts/release-publish.ts"];
    const places = order.map((command) => at("publish", command));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
    expect(jobs["publish"]?.permissions["id-token"]).toBe("write");
    expect(jobs["publish"]?.steps[places[2] ?? 0]?.env?.["NPM_CONFIG_PROVENANCE"]).toBe("true");
  });
});
