/**
 * `npm run contracts:verify`: verifies the recorded contract, or the contracts of a Pact Broker, against a provider, by
 * `contracts/verification`.
 */

import { providerBranch, publicationFrom, shownBuild } from "../contracts/broker/build.ts";
import { settingsFrom, settingsHelp } from "../contracts/broker/settings.ts";
import { type Command, runCommand, UsageError } from "../contracts/command.ts";
import { readPact } from "../contracts/pact-file.ts";
import { kindsOfEvidence, providerName } from "../contracts/states.ts";
import { describeTarget, openTarget, type Target } from "../contracts/target.ts";
import { createDriver } from "../contracts/verification/driver.ts";
import {
  brokerArguments,
  verificationFailures,
  verifyFile,
  verifyFromBroker,
} from "../contracts/verification/verify.ts";
import { replayReport } from "../src/cli/pact-replay.ts";

const help = `Usage: npm run contracts:verify -- [--only <kind>] [--pact <file>] [--allow-production]
       npm run contracts:verify -- --sandbox
       npm run contracts:verify -- --from-broker [--no-publish] [--dry-run] [--allow-production]
       npm run contracts:verify -- --pact <url> [--no-publish] [--dry-run] [--allow-production]

Replays the recorded contract against a provider with Pact's verifier, and reports on each
interaction. Without PROVIDER_BASE_URL that is the sandbox, on a port of its own.

  --only <kind>       only interactions that are documented, observed or assumed
  --pact <file>       default: the one in contracts/pacts
  --sandbox           verifies the sandbox, whatever PROVIDER_BASE_URL says
  --allow-production  lets PROVIDER_BASE_URL be the production API, where the run ends
                      sessions and revokes authorizations
  --help              shows this text

The provider is brought into the states of the contract over its own HTTP API, with

  PROVIDER_BASE_URL        the provider to verify
  BAANX_CLIENT_KEY         a client key that is registered there
  BAANX_TEST_EMAIL, BAANX_TEST_PASSWORD         a user who can log in with a password alone
  BAANX_TEST_US_EMAIL, BAANX_TEST_US_PASSWORD   one of the US back end
  BAANX_TEST_OAUTH_TOKENS  access tokens, a1,a2+a3: each entry an authorization of its own,
                           which may have several; a contract uses up one or two entries

What cannot be reached without them is reported as skipped, by name. A mismatch in a
pending interaction, one that is not documented, is shown and does not fail the run.

  --from-broker   takes the contracts from a Pact Broker: of the consumer's main branch, of the
                  branch that is called as the provider's, of every released version, and of
                  every branch that is work in progress; and publishes the results. One that
                  the provider's branch has never verified informs and does not fail the run.
  --pact <url>    takes the one contract that a webhook of the broker names, and publishes the
                  result, which is also the result of the run
  --no-publish    keeps the results here
  --dry-run       shows what would be asked for and published, and does neither

  PROVIDER_VERSION   the version that is verified, and
  PROVIDER_BRANCH    its branch: needed to publish its results, unless this runs in a pipeline
                     that builds the provider, which says both

${settingsHelp}
Results of the sandbox are published to a broker on loopback only, under a version that begins
with reference-. A contract one of whose states cannot be brought about is not published, and a
publication that fails, fails the run.

Exit codes: 0 verified, 1 not, or not published, 2 wrong usage.
`;

const flag = { type: "boolean" } as const;
const options = {
  only: { type: "string" },
  pact: { type: "string" },
  sandbox: flag,
  "from-broker": flag,
  "no-publish": flag,
  "dry-run": flag,
  "allow-production": flag,
} as const;

type Values = Parameters<Command<typeof options>["run"]>[0];

await runCommand({
  name: "contracts:verify",
  help,
  options,
  run: (values) =>
    values["from-broker"] || /^https?:/.test(values.pact ?? "")
      ? verifyPublished(values)
      : verifyRecorded(values),
});

async function verifyRecorded({ only, pact: file, sandbox, ...values }: Values): Promise<readonly string[]> {
  if (values["dry-run"] || values["no-publish"])
    throw new UsageError("--dry-run and --no-publish belong to --from-broker and to the URL of a pact.");
  if (only !== undefined && !kindsOfEvidence.some((known) => known === only))
    throw new UsageError(`--only takes ${kindsOfEvidence.join(", ")}.`);
  const address = sandbox ? undefined : process.env["PROVIDER_BASE_URL"];
  return withTarget(address, values, async (target, driver) => {
    const interactions = await verifyFile(await readPact(file), { target, ...driver }, only);
    process.stdout.write(replayReport(interactions, describeTarget(target)));
    return verificationFailures(interactions, target);
  });
}

async function verifyPublished(values: Values): Promise<readonly string[]> {
  if (values.only !== undefined || values.sandbox)
    throw new UsageError("--only and --sandbox do not go with a broker.");
  if (values["from-broker"] && values.pact !== undefined)
    throw new UsageError("--from-broker and --pact are two questions: ask one.");
  const settings = settingsFrom(process.env);
  const branch = providerBranch(process.env);
  const publication = values["no-publish"] ? undefined : publicationFrom(process.env, settings);
  const question = { branch: publication?.branch ?? branch, publication, pactUrl: values.pact };
  const results = publication ? `the results as ${shownBuild(providerName, publication)}` : "no results";
  if (values["dry-run"]) {
    process.stdout.write(
      `Would ask ${settings.baseUrl}: pact verifier ${brokerArguments(question).join(" ")}\n`,
    );
    process.stdout.write(`Would publish ${results}\n`);
    return [];
  }
  if (publication) process.stdout.write(`Publishes ${results}.\n\n`);
  return withTarget(process.env["PROVIDER_BASE_URL"], values, (target, { handlers }) =>
    verifyFromBroker({
      ...{ settings, target, handlers, ...question },
      write: (text) => process.stdout.write(text),
    }),
  );
}

async function withTarget(
  address: string | undefined,
  values: Values,
  run: (target: Target, driver: ReturnType<typeof createDriver>) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const { target, close } = await openTarget(process.env, address, values["allow-production"] === true);
  const driver = createDriver(target);
  try {
    return await run(target, driver);
  } finally {
    await driver.endSessions();
    await close();
  }
}
