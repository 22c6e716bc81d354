/**
 * `npm run contracts:verify`: verifies the recorded contract against a provider. It decides on arguments,
 * messages and exit codes; the verification is `contracts/verification`.
 */
import { parseArgs } from "node:util";
import { readPact } from "../contracts/pact-file.ts";
import { type Standing, standings } from "../contracts/states.ts";
import { openTarget, UsageError } from "../contracts/target.ts";
import { createDriver } from "../contracts/verification/driver.ts";
import { createReplayer } from "../contracts/verification/replay.ts";
import { verificationReport } from "../contracts/verification/report.ts";
import { failuresOf, verify } from "../contracts/verification/verify.ts";

const help = `Usage: npm run contracts:verify -- [--only <standing>] [--pact <file>] [--allow-production]

Replays the recorded contract against a provider and reports on each interaction.
Without PROVIDER_BASE_URL that is the reference provider, on a port of its own.

  --only <standing>   only interactions that are documented, observed or assumed
  --pact <file>       default: the one in contracts/pacts
  --allow-production  lets PROVIDER_BASE_URL be the production API, where the run ends
                      sessions and revokes authorizations
  --help              shows this text

The provider is brought into the states of the contract over its own HTTP API, with

  PROVIDER_BASE_URL        the provider to verify
  BAANX_CLIENT_KEY         a client key that is registered there
  BAANX_TEST_EMAIL, BAANX_TEST_PASSWORD   a user who can log in with a password alone
  BAANX_TEST_OAUTH_TOKENS  access tokens, a1,a2+a3: each entry an authorization of its own,
                           which may have several; two entries are used up by a run

What cannot be reached without them is reported as skipped, by name. A mismatch in a
pending interaction, one that is not documented, is shown and does not fail the run.

Exit codes: 0 verified, 1 not, 2 wrong usage.
`;

process.exitCode = await main();

async function main(): Promise<number> {
  const replayer = createReplayer();
  let close = async () => {};
  try {
    const { values } = readArguments();
    if (values.help) {
      process.stdout.write(help);
      return 0;
    }
    const only = values.only === undefined ? undefined : standingOf(values.only);
    const opened = await openTarget(
      process.env,
      process.env["PROVIDER_BASE_URL"],
      values["allow-production"] === true,
    );
    close = opened.close;
    const { target } = opened;
    const pact = await readPact(values.pact);
    const { handlers, endSessions } = createDriver(target);
    const verdicts = await verify({ pact, target, handlers, replayer, only });
    await endSessions();
    process.stdout.write(verificationReport(verdicts, target));
    const failures = failuresOf(verdicts, target);
    for (const failure of failures) fail(failure, 1);
    return failures.length === 0 ? 0 : 1;
  } catch (error) {
    const isUsage = error instanceof UsageError;
    return fail(`${firstLine(error)}${isUsage ? " See --help." : ""}`, isUsage ? 2 : 1);
  } finally {
    await replayer.close();
    await close();
  }
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        only: { type: "string" },
        pact: { type: "string" },
        "allow-production": { type: "boolean" },
        help: { type: "boolean" },
      },
    });
  } catch (error) {
    throw new UsageError(`${firstLine(error).split(". ", 1)[0]}.`);
  }
}

function standingOf(text: string): Standing {
  const standing = standings.find((known) => known === text);
  if (standing === undefined) throw new UsageError(`--only takes ${standings.join(", ")}.`);
  return standing;
}

function fail(line: string, exitCode: number): number {
  process.stderr.write(`contracts:verify: ${line}\n`);
  return exitCode;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}
