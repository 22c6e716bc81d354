/**
 * Whose results a verification from a broker would publish, and whether they may be published there: version and
 * branch of the provider are told by somebody, or by the pipeline that builds it, and never guessed.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Build, buildFrom, pipelineOf } from "../broker/build.ts";
import { referencePrefix, selection } from "../broker/http.ts";
import type { Settings } from "../broker/settings.ts";
import { UsageError } from "../command.ts";
import { providerName } from "../states.ts";
import type { Environment } from "../target.ts";

export type Publication = Build;

const repository = fileURLToPath(new URL("../..", import.meta.url));
const named = { version: "PROVIDER_VERSION", branch: "PROVIDER_BRANCH" };

/** The branch of the provider's build as far as it is known: the pacts are chosen by it. */
export function providerBranch(environment: Environment): string | undefined {
  return (
    environment["PROVIDER_BRANCH"] || (isProviders(environment) ? pipelineOf(environment).branch : undefined)
  );
}

/**
 * Whose results would be published. Those of the sandbox go to a broker on loopback only, under a
 * version that says so: anywhere else they would be false evidence.
 *
 * @throws UsageError when they may not be published there, or nobody says whose they are
 */
export function publicationFrom(
  environment: Environment,
  { isLoopback }: Pick<Settings, "isLoopback">,
): Publication {
  const { PROVIDER_BASE_URL: address } = environment;
  const version = environment["PROVIDER_VERSION"] || undefined;
  const branch = environment["PROVIDER_BRANCH"] || undefined;
  if (!address) {
    if (!isLoopback)
      throw new UsageError(
        "Results of the sandbox are published to a broker on loopback only: set PROVIDER_BASE_URL, PROVIDER_VERSION and PROVIDER_BRANCH, or give --no-publish.",
      );
    // It is a part of this repository, so that its commit and branch are the repository's.
    const build = buildFrom(environment, { version, branch }, false, named);
    return { ...build, version: `${referencePrefix}${build.version}` };
  }
  if (version?.startsWith(referencePrefix))
    throw new UsageError(`A PROVIDER_VERSION that begins with "${referencePrefix}" is the sandbox's.`);
  const missing = [...(version ? [] : [named.version]), ...(branch ? [] : [named.branch])];
  if (missing.length > 0 && !isProviders(environment))
    throw new UsageError(
      `${missing.join(" and ")} must say whose results are published, since no pipeline of the provider is known here; or give --no-publish.`,
    );
  return buildFrom(environment, { version, branch }, false, named);
}

/** In a pipeline that builds this repository, commit and branch are the consumer's. */
function isProviders(environment: Environment): boolean {
  const { isCi, root } = pipelineOf(environment);
  return isCi && root !== undefined && resolve(root) !== resolve(repository);
}

export function shownPublication({ version, branch, buildUrl, origin }: Publication): string {
  const built = buildUrl ? `, built by ${buildUrl}` : "";
  return `version ${version} of ${providerName}, branch ${branch}${built} (${origin})`;
}

/** What would be asked for and published, without asking for it. */
export function plan(
  { baseUrl }: Settings,
  branch: string | undefined,
  publication: Publication | undefined,
  pactUrl: string | undefined,
): string {
  const asked = pactUrl
    ? `Would ask ${baseUrl} for the pact ${pactUrl}\n`
    : `Would ask ${baseUrl} for the pacts of ${providerName}:\n${JSON.stringify(selection(branch), null, 2)}\n`;
  return publication
    ? `${asked}Would publish the results as ${shownPublication(publication)}\n`
    : `${asked}Would publish no results.\n`;
}
