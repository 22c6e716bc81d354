/** `npm run conformance`: runs the conformance steps of `contracts/conformance` against a provider. */
import { runCommand } from "../contracts/command.ts";
import { conformanceJson, conformanceTable } from "../contracts/conformance/report.ts";
import { conformanceFailures, runConformance } from "../contracts/conformance/run.ts";
import { openTarget } from "../contracts/target.ts";

const help = `Usage: npm run conformance -- [--base-url <url>] [--json] [--probe-negative] [--allow-production]

Checks the sequences that the documentation promises (log in, use, log out, use again,
revoke, …) against a provider over HTTP, and reports on each step.

  --base-url <url>    the provider; default: the sandbox, on a port of its own
  --json              prints JSON instead of a table (npm run --silent conformance)
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

await runCommand({
  name: "conformance",
  help,
  options: {
    "base-url": { type: "string" },
    json: { type: "boolean" },
    "probe-negative": { type: "boolean" },
    "allow-production": { type: "boolean" },
  },
  async run({ json, "base-url": address, "probe-negative": probeNegative, "allow-production": isAllowed }) {
    const { target, close } = await openTarget(process.env, address, isAllowed === true);
    try {
      const results = await runConformance({ target, ...(probeNegative && { probeNegative }) });
      process.stdout.write((json ? conformanceJson : conformanceTable)(results, target));
      return conformanceFailures(results, target);
    } finally {
      await close();
    }
  },
});
