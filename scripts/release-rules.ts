/** Rules for a publishable package: its origin, and the contents that registries and tools need. */

/**
 * Returns the fields of package.json that name the origin of the package, from the workflow that publishes: the registry
 * rejects a package whose provenance is of another repository.
 *
 * @param environment - GITHUB_REPOSITORY is `owner/name`, GITHUB_SERVER_URL by default https://github.com
 * @throws Error if the repository is unknown
 */
export function originFrom(environment: Record<string, string | undefined>) {
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
  version: string;
  lock: { version?: string; packages?: Record<string, { version?: string }> };
  changelog: string;
}

/** Returns the reasons why npm or the changesets action would reject or spoil a release, one line each. */
export function problemsOf({ version, lock, changelog }: Release): string[] {
  const entry = entryOf(changelog, version);
  const locked = [lock.version, lock.packages?.[""]?.version];
  const lines = [
    locked.some((one) => one !== version) &&
      `package-lock.json is of version ${locked.join(" and ")}, and package.json of ${version}.`,
    entry === undefined &&
      `CHANGELOG.md lacks the heading "## ${version}", so that the release's page would show all of it.`,
    entry === "" && `CHANGELOG.md says nothing under "## ${version}".`,
  ];
  return lines.filter((line) => line !== false);
}

/** Returns the changelog entry of a version. The changesets action expects a heading with the version only. */
export function entryOf(changelog: string, version: string): string | undefined {
  const [, ...sections] = changelog.split(/^## /m);
  const section = sections.find((text) => text.split("\n", 1)[0]?.trim() === version);
  return section?.split("\n").slice(1).join("\n").trim();
}

/** Moves the unreleased changes to a version. @throws Error without unreleased changes */
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
 * Reduces npm's SBOM to the contents of the package: its dependencies, and the packages bundled by the build, which npm
 * lists as development tools.
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
