/** What must be true of the package before it is published: where it says it comes from, and what others look for in it. */

/** The fields of package.json that say where the package comes from. */
export interface Origin {
  repository: { type: "git"; url: string };
  homepage: string;
  bugs: string;
}

/**
 * Of the workflow that publishes, so that no address is invented.
 *
 * @param environment - GITHUB_REPOSITORY is `owner/name`, GITHUB_SERVER_URL by default https://github.com
 * @throws Error when there is no repository
 */
export function originFrom(environment: Record<string, string | undefined>): Origin {
  const { GITHUB_SERVER_URL: server = "https://github.com", GITHUB_REPOSITORY: repository } = environment;
  if (!repository || !/^[\w.-]+\/[\w.-]+$/.test(repository))
    throw new Error("GITHUB_REPOSITORY must say whose workflow publishes, as owner/name.");
  const address = `${server}/${repository}`;
  return {
    repository: { type: "git", url: `git+${address}.git` },
    homepage: `${address}#readme`,
    bugs: `${address}/issues`,
  };
}

export interface Release {
  manifest: { version?: string; repository?: { url?: string } };
  lock: { version?: string; packages?: Record<string, { version?: string }> };
  changelog: string;
}

/** What of a release npm or the changesets action would refuse or get wrong, a line each. */
export function problemsOf({ manifest, lock, changelog }: Release, { repository }: Origin): string[] {
  const { version = "" } = manifest;
  const entry = entryOf(changelog, version);
  const locked = [lock.version, lock.packages?.[""]?.version];
  const lines = [
    // The registry compares the two, and refuses the package where they differ.
    addressOf(manifest.repository?.url) !== addressOf(repository.url) &&
      `package.json: repository.url is ${manifest.repository?.url ?? "missing"}, and provenance wants ${repository.url}.`,
    locked.some((one) => one !== version) &&
      `package-lock.json is of version ${locked.join(" and ")}, and package.json of ${version}.`,
    entry === undefined &&
      `CHANGELOG.md has no heading "## ${version}", so that the release's page would show all of it.`,
    entry === "" && `CHANGELOG.md says nothing under "## ${version}".`,
  ];
  return lines.filter((line) => line !== false);
}

/** As the registry reads it. */
const addressOf = (url = ""): string => url.replace(/^git\+/, "").replace(/\.git$/, "");

/** What the changelog says of a version; the changesets action looks for a heading that is the version and nothing else. */
export function entryOf(changelog: string, version: string): string | undefined {
  const [, ...sections] = changelog.split(/^## /m);
  const section = sections.find((text) => text.split("\n", 1)[0]?.trim() === version);
  return section?.split("\n").slice(1).join("\n").trim();
}

/** The changelog once what was not released is of this version. @throws Error when nothing was written */
export function releasedChangelog(changelog: string, version: string): string {
  const unreleased = "## Unreleased\n";
  if (!entryOf(changelog, "Unreleased"))
    throw new Error(`CHANGELOG.md says nothing under "${unreleased.trim()}".`);
  return changelog.replace(unreleased, `${unreleased}\n## ${version}\n`);
}

interface Component {
  name: string;
  "bom-ref": string;
  properties?: { name: string; value: string }[];
}

interface Sbom {
  metadata: { component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn?: string[] }[];
}

/**
 * What of npm's list of everything is in the package: what it depends on, and what the build puts into it, which npm
 * takes for tools.
 *
 * @param bundled - the names of the packages that `dist` holds
 */
export function sbomOf(everything: Sbom, bundled: readonly string[]): Sbom {
  const { metadata, components, dependencies } = everything;
  const isTool = ({ properties = [] }: Component) =>
    properties.some(({ name }) => name === "cdx:npm:package:development");
  const kept = components.filter((component) => !isTool(component) || bundled.includes(component.name));
  const own = metadata.component["bom-ref"];
  const refs = new Set(kept.map((component) => component["bom-ref"]));
  return {
    ...everything,
    components: kept,
    dependencies: dependencies
      .filter(({ ref }) => ref === own || refs.has(ref))
      .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => refs.has(other)) })),
  };
}
