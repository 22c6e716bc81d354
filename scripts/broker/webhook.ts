/**
 * `npm run broker -- webhook`: has a Pact Broker start a build of the provider whenever it has to verify a contract
 * of this package. What the broker sends is `contracts/broker/webhook.ts`.
 */

import { readFile } from "node:fs/promises";
import { createBroker } from "../../contracts/broker/http.ts";
import { settingsFrom, settingsHelp } from "../../contracts/broker/settings.ts";
import { createSetup } from "../../contracts/broker/setup.ts";
import { event, webhookFor } from "../../contracts/broker/webhook.ts";
import { type Command, UsageError } from "../../contracts/command.ts";
import { consumerName, providerName } from "../../contracts/states.ts";

const help = `Usage: npm run broker -- webhook --url <address> [--body <file>] [--create]

Shows the webhook that starts a build of ${providerName} when a contract of ${consumerName} was
published that it has not verified (${event}).
Only with --create it is set up; to set it up again changes it, and adds none.

  --url <address>  where the provider's CI is told to build, such as
                   https://api.github.com/repos/<owner>/<name>/dispatches
  --body <file>    JSON to send in place of the form of GitHub's repository_dispatch; the broker
                   fills in \${pactbroker.pactUrl}, \${pactbroker.providerVersionNumber} and others
  --create         sets it up; without it nothing is changed
  --help           shows this text

  WEBHOOK_AUTHORIZATION  the header by which the CI knows the broker, "Bearer …"

${settingsHelp}
Exit codes: 0 shown or set up, 1 refused by the broker or broker unreachable, 2 wrong usage.
`;

const options = { url: { type: "string" }, body: { type: "string" }, create: { type: "boolean" } } as const;

export const webhook: Command<typeof options> = {
  name: "broker webhook",
  help,
  options,
  async run({ url, body: file, create }) {
    const settings = settingsFrom(process.env);
    if (url === undefined) throw new UsageError("--url says where the provider's CI is told to build.");
    const body = file === undefined ? undefined : await jsonIn(file);
    const authorization = process.env["WEBHOOK_AUTHORIZATION"] || undefined;
    if (!create) {
      const shown = webhookFor(url, authorization && "[secret]", body);
      process.stdout.write(`Would set up at ${settings.baseUrl}:\n${JSON.stringify(shown.body, null, 2)}\n`);
      return;
    }
    await createBroker(settings).check();
    const webhook = webhookFor(url, authorization, body);
    await createSetup(settings).putWebhook(webhook);
    process.stdout.write(
      `Set up at ${settings.baseUrl}: ${event} calls ${url} (${settings.baseUrl}/webhooks/${webhook.uuid})\n`,
    );
  },
};

async function jsonIn(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    throw new UsageError("--body takes a file with JSON.");
  }
}
