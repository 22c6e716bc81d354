/**
 * Tells a Pact Broker which versions of the package are in use. A library is released, not deployed: an old version
 * stays in use until its support ends.
 */

import { consumerName } from "../states.ts";
import { UsageError } from "../target.ts";
import { buildFrom } from "./build.ts";
import { Refusal, runCommand, settingsHelp } from "./command.ts";
import { createBroker } from "./http.ts";
import { pactBroker, reasonIn } from "./pact-cli.ts";
import { environmentName } from "./start.ts";

const verbs = {
  "record-release": { as: "released", what: "was released" },
  "record-support-ended": { as: "no longer supported", what: "is no longer supported" },
} as const;

const helpOf = (
  verb: keyof typeof verbs,
) => `Usage: npm run contracts:${verb} -- [--version <version>] [--environment <name>] [--dry-run]

Records that a version of ${consumerName} ${verbs[verb].what}. Its version is the one under
which its contract is published.

  --version <version>   ${verb === "record-release" ? "default: the commit" : "needed: an old one is meant"}
  --environment <name>  default: ${environmentName}
  --dry-run             shows what would be recorded, and records nothing
  --help                shows this text

${settingsHelp}
Exit codes: 0 recorded, 1 refused by the broker or broker unreachable, 2 wrong usage.
`;

/** Resolves to the exit code. */
export function runRecord(verb: keyof typeof verbs): Promise<number> {
  return runCommand({
    name: `contracts:${verb}`,
    help: helpOf(verb),
    options: {
      version: { type: "string" },
      environment: { type: "string" },
      "dry-run": { type: "boolean" },
    },
    async run({ version: given, environment = environmentName, "dry-run": isDry }, settings) {
      if (verb === "record-support-ended" && given === undefined)
        throw new UsageError("--version says which version is no longer supported.");
      const { version } = buildFrom(process.env, { version: given, branch: "none" });
      const what = `version ${version} of ${consumerName} as ${verbs[verb].as} in ${environment}`;
      if (isDry) {
        process.stdout.write(`Would record at ${settings.baseUrl}: ${what}\n`);
        return;
      }
      await createBroker(settings).check();
      const of = ["--pacticipant", consumerName, "--version", version, "--environment", environment];
      const { code, text } = await pactBroker(settings, [verb, ...of]);
      if (code !== 0) throw new Refusal(reasonOf(text, version, environment));
      process.stdout.write(`Recorded at ${settings.baseUrl}: ${what}\n`);
    },
  });
}

function reasonOf(text: string, version: string, environment: string): string {
  if (/Environment .* (does not exist|not found)/.test(text))
    return `The broker has no environment "${environment}": \`npx pact broker create-environment --name ${environment}\` creates it.`;
  if (/versions\/\S+' failed: 404/.test(text))
    return `The broker knows no version ${version} of ${consumerName}: \`npm run contracts:publish\` comes first.`;
  return reasonIn(text);
}
