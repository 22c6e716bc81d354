/**
 * `npm run conformance`: runs the conformance steps against a provider. It decides on arguments, messages
 * and exit codes; the steps are `contracts/conformance`.
 */
import { argumentsOf } from "../contracts/arguments.ts";
import { conformanceJson, conformanceTable } from "../contracts/conformance/report.ts";
import { failuresOf, runConformance } from "../contracts/conformance/run.ts";
import { firstLine } from "../contracts/message.ts";
import { openTarget, UsageError } from "../contracts/target.ts";

const help = `Usage: npm run conformance -- [--base-url <url>] [--json] [--probe-negative] [--allow-production]

Checks the sequences that the documentation promises (log in, use, log out, use again,
revoke, …) against a provider over HTTP, and reports on each step.

  --base-url <url>    the provider; default: the sandbox, on a port of its own
  --json              prints JSON in place of a table (npm run --silent conformance)
  --probe-negative    also probes that the staff of a real provider would object to: a token
                      in the query string, GET on logout, a wrong password
  --allow-production  lets --base-url be the production API, where the run ends sessions
                      and revokes authorizations
  --help              shows this text

A provider that is given needs, and steps that lack one of them are skipped, by name:

  BAANX_CLIENT_KEY         a client key that is registered there
  BAANX_TEST_EMAIL, BAANX_TEST_PASSWORD   a user who can log in with a password alone
  BAANX_TEST_OAUTH_TOKENS  access tokens, a1,a2+a3: each entry an authorization of its own,
                           which may have several; best two of that user and one of another

Exit codes: 0 every documented step passed or was skipped, 1 one failed or none ran, 2 wrong usage.
`;

process.exitCode = await main();

async function main(): Promise<number> {
  let close = async () => {};
  try {
    const values = readArguments();
    if (values.help) {
      process.stdout.write(help);
      return 0;
    }
    const opened = await openTarget(process.env, values["base-url"], values["allow-production"] === true);
    close = opened.close;
    const { target } = opened;
    const results = await runConformance({
      target,
      ...(values["probe-negative"] && { probeNegative: true }),
    });
    process.stdout.write((values.json ? conformanceJson : conformanceTable)(results, target));
    const failures = failuresOf(results, target);
    for (const failure of failures) fail(failure, 1);
    return failures.length === 0 ? 0 : 1;
  } catch (error) {
    const isUsage = error instanceof UsageError;
    return fail(`${firstLine(error)}${isUsage ? " See --help." : ""}`, isUsage ? 2 : 1);
  } finally {
    await close();
  }
}

function readArguments() {
  return argumentsOf({
    "base-url": { type: "string" },
    json: { type: "boolean" },
    "probe-negative": { type: "boolean" },
    "allow-production": { type: "boolean" },
    help: { type: "boolean" },
  });
}

function fail(line: string, exitCode: number): number {
  process.stderr.write(`conformance: ${line}\n`);
  return exitCode;
}
