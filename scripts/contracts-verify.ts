/**
 * `npm run contracts:verify`: verifies the recorded contract against a provider. The
 * verification is `contracts/verification`.
 */
import { createBroker } from "../contracts/broker/http.ts";
import { settingsFrom } from "../contracts/broker/settings.ts";
import { type Command, runCommand, UsageError } from "../contracts/command.ts";
import { readPact } from "../contracts/pact-file.ts";
import { type Evidence, kindsOfEvidence } from "../contracts/states.ts";
import { openTarget } from "../contracts/target.ts";
import { createDriver } from "../contracts/verification/driver.ts";
import { verifyFromBroker } from "../contracts/verification/from-broker.ts";
import { plan, providerBranch, publicationFrom } from "../contracts/verification/publication.ts";
import { createReplayer, type Replayer } from "../contracts/verification/replay.ts";
import { verificationReport } from "../contracts/verification/report.ts";
import { failuresOf, verify } from "../contracts/verification/verify.ts";

const help = `Usage: npm run contracts:verify -- [--only <kind>] [--pact <file>] [--allow-production]
       npm run contracts:verify -- --sandbox
       npm run contracts:verify -- --from-broker [--no-publish] [--dry-run] [--allow-production]
       npm run contracts:verify -- --pact <url> [--no-publish] [--dry-run] [--allow-production]

Replays the recorded contract against a provider and reports on each interaction.
Without PROVIDER_BASE_URL that is the sandbox, on a port of its own.

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
                           which may have several; two entries are used up by a run

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

  PACT_BROKER_BASE_URL, and PACT_BROKER_TOKEN or PACT_BROKER_USERNAME and PACT_BROKER_PASSWORD
  PROVIDER_VERSION   the version that is verified, and
  PROVIDER_BRANCH    its branch: needed to publish its results, unless this runs in a pipeline
                     that builds the provider, which says both

Results of the sandbox are published to a broker on loopback only, under a
version that begins with reference-. A publication that fails, fails the run.

Exit codes: 0 verified, 1 not, or not published, 2 wrong usage.
`;

const options = {
  only: { type: "string" },
  pact: { type: "string" },
  sandbox: { type: "boolean" },
  "from-broker": { type: "boolean" },
  "no-publish": { type: "boolean" },
  "dry-run": { type: "boolean" },
  "allow-production": { type: "boolean" },
} as const;

type Values = Parameters<Command<typeof options>["run"]>[0];

await runCommand({
  name: "contracts:verify",
  help,
  options,
  async run(values) {
    const replayer = createReplayer();
    try {
      return values["from-broker"] || isUrl(values.pact)
        ? await verifyPublished(values, replayer)
        : await verifyRecorded(values, replayer);
    } finally {
      await replayer.close();
    }
  },
});

async function verifyRecorded(values: Values, replayer: Replayer): Promise<readonly string[]> {
  if (values["dry-run"] || values["no-publish"])
    throw new UsageError("--dry-run and --no-publish belong to --from-broker and to the URL of a pact.");
  const only = values.only === undefined ? undefined : evidenceOf(values.only);
  const address = values.sandbox ? undefined : process.env["PROVIDER_BASE_URL"];
  const { target, close } = await openTarget(process.env, address, values["allow-production"] === true);
  try {
    const pact = await readPact(values.pact);
    const { handlers, endSessions } = createDriver(target);
    const verdicts = await verify({ pact, target, handlers, replayer, only });
    await endSessions();
    process.stdout.write(verificationReport(verdicts, target));
    return failuresOf(verdicts, target);
  } finally {
    await close();
  }
}

async function verifyPublished(values: Values, replayer: Replayer): Promise<readonly string[]> {
  if (values.only !== undefined || values.sandbox)
    throw new UsageError("--only and --sandbox do not go with a broker.");
  if (values["from-broker"] && values.pact !== undefined)
    throw new UsageError("--from-broker and --pact are two questions: ask one.");
  const settings = settingsFrom(process.env);
  const branch = providerBranch(process.env);
  const publication = values["no-publish"] ? undefined : publicationFrom(process.env, settings);
  if (values["dry-run"]) {
    process.stdout.write(plan(settings, branch, publication, values.pact));
    return [];
  }
  return await verifyFromBroker({
    broker: createBroker(settings),
    environment: process.env,
    allowProduction: values["allow-production"] === true,
    replayer,
    branch,
    publication,
    pactUrl: values.pact,
    write: (text) => process.stdout.write(text),
  });
}

function isUrl(text: string | undefined): boolean {
  return text !== undefined && /^https?:/.test(text);
}

function evidenceOf(text: string): Evidence {
  const evidence = kindsOfEvidence.find((known) => known === text);
  if (evidence === undefined) throw new UsageError(`--only takes ${kindsOfEvidence.join(", ")}.`);
  return evidence;
}
