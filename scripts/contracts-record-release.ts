/**
 * `npm run contracts:record-release`: tells a Pact Broker which versions of the package are in use. A library is
 * released, not deployed: an old version stays in use until its support ends.
 */
import { buildFrom } from "../contracts/broker/build.ts";
import { createBroker } from "../contracts/broker/http.ts";
import { pactBroker, reasonIn } from "../contracts/broker/pact-cli.ts";
import { settingsFrom, settingsHelp } from "../contracts/broker/settings.ts";
import { environmentName } from "../contracts/broker/start.ts";
import { runCommand, UsageError } from "../contracts/command.ts";
import { consumerName } from "../contracts/states.ts";

const help = `Usage: npm run contracts:record-release -- [--version <version>] [--environment <name>] [--dry-run]
       npm run contracts:record-release -- --support-ended --version <version> [--environment <name>] [--dry-run]

Records that a version of ${consumerName} was released. Its version is the one under which its
contract is published.

  --version <version>   default: the commit
  --support-ended       records instead that this version is no longer supported
  --environment <name>  default: ${environmentName}
  --dry-run             shows what would be recorded, and records nothing
  --help                shows this text

${settingsHelp}
Exit codes: 0 recorded, 1 refused by the broker or broker unreachable, 2 wrong usage.
`;

await runCommand({
  name: "contracts:record-release",
  help,
  options: {
    version: { type: "string" },
    "support-ended": { type: "boolean" },
    environment: { type: "string" },
    "dry-run": { type: "boolean" },
  },
  async run(values) {
    const settings = settingsFrom(process.env);
    const { version: given, "support-ended": isOver, environment = environmentName } = values;
    if (isOver && given === undefined)
      throw new UsageError("--version says which version is no longer supported.");
    const { version } = buildFrom(process.env, { version: given, branch: "none" });
    const as = isOver ? "no longer supported" : "released";
    const what = `version ${version} of ${consumerName} as ${as} in ${environment}`;
    if (values["dry-run"]) {
      process.stdout.write(`Would record at ${settings.baseUrl}: ${what}\n`);
      return;
    }
    await createBroker(settings).check();
    const verb = isOver ? "record-support-ended" : "record-release";
    const of = ["--pacticipant", consumerName, "--version", version, "--environment", environment];
    const { code, text } = await pactBroker(settings, [verb, ...of]);
    if (code !== 0) throw new Error(reasonOf(text, version, environment));
    process.stdout.write(`Recorded at ${settings.baseUrl}: ${what}\n`);
  },
});

function reasonOf(text: string, version: string, environment: string): string {
  if (/Environment .* (does not exist|not found)/.test(text))
    return `The broker has no environment "${environment}": \`npx pact broker create-environment --name ${environment}\` creates it.`;
  if (/versions\/\S+' failed: 404/.test(text))
    return `The broker knows no version ${version} of ${consumerName}: \`npm run contracts:publish\` comes first.`;
  return reasonIn(text);
}
