/**
 * `npm run broker -- setup`: registers the consumer at a Pact Broker with its main branch, and says what else a broker
 * needs to know before a pipeline can rely on its answers. What belongs to the provider is only looked at.
 */

import { createBroker } from "../../contracts/broker/http.ts";
import { settingsFrom, settingsHelp } from "../../contracts/broker/settings.ts";
import { createSetup } from "../../contracts/broker/setup.ts";
import { environmentName } from "../../contracts/broker/start.ts";
import { type Command, UsageError } from "../../contracts/command.ts";
import { consumerName } from "../../contracts/states.ts";

const help = `Usage: npm run broker -- setup --main-branch <branch> [--environment <name>] [--dry-run]

Registers ${consumerName} at the broker with its main branch, without which a broker takes main,
master or develop for it, and says what is missing for a pipeline.

  --main-branch <branch>  the branch that is released
  --environment <name>    where its releases are recorded; default: ${environmentName}
  --dry-run               registers nothing, and says what is missing
  --help                  shows this text

${settingsHelp}
Exit codes: 0 registered, 1 refused by the broker or broker unreachable, 2 wrong usage.
`;

const options = {
  "main-branch": { type: "string" },
  environment: { type: "string" },
  "dry-run": { type: "boolean" },
} as const;

export const setup: Command<typeof options> = {
  name: "broker setup",
  help,
  options,
  async run({ "main-branch": branch, environment = environmentName, "dry-run": isDry }) {
    const settings = settingsFrom(process.env);
    if (!branch) throw new UsageError("--main-branch says which branch is released.");
    await createBroker(settings).check();
    const setup = createSetup(settings);
    const what = `${consumerName} with the main branch ${branch}`;
    if (!isDry) await setup.registerConsumer(branch);
    process.stdout.write(`${isDry ? "Would register" : "Registered"} at ${settings.baseUrl}: ${what}\n`);

    const missing = await setup.missing(environment);
    if (missing.length === 0) process.stdout.write("Nothing is missing.\n");
    for (const line of missing) process.stdout.write(`Missing: ${line}\n`);
  },
};
