/**
 * `npx tsx scripts/workflows.ts`: runs the workflows of `openapi/sessions.arazzo.yaml` against a provider. The run is
 * `contracts/workflows`.
 */
import { runCommand } from "../contracts/command.ts";
import { openTarget } from "../contracts/target.ts";
import { runWorkflows } from "../contracts/workflows/run.ts";

const help = `Usage: npx tsx scripts/workflows.ts [--server <url>] [--allow-production]

Runs the sequences of openapi/sessions.arazzo.yaml (Arazzo 1.0) against a provider, with
redocly respect: log in, read, log out, 401, log in again; and revoke, 401 for each token.

  --server <url>      the provider; default: the sandbox, on a port of its own
  --allow-production  lets --server be the production API, where the run ends sessions and
                      revokes an authorization
  --help              shows this text

A provider that is given needs, and a workflow that lacks one of them is skipped, by name:

  BAANX_CLIENT_KEY         a client key that is registered there
  BAANX_TEST_EMAIL, BAANX_TEST_PASSWORD   a user who can log in with a password alone
  BAANX_TEST_OAUTH_TOKENS  access tokens, a1+a2: two of one authorization, which is used up

Exit codes: 0 all that ran has passed, 1 something failed or nothing ran, 2 wrong usage.
`;

await runCommand({
  name: "workflows",
  help,
  options: { server: { type: "string" }, "allow-production": { type: "boolean" } },
  async run({ server, "allow-production": isAllowed }) {
    const { target, close } = await openTarget(process.env, server, isAllowed === true);
    try {
      const { isPassed, text, skipped } = await runWorkflows(target);
      process.stdout.write(text);
      for (const line of skipped) process.stderr.write(`workflows: ${line}\n`);
      return isPassed ? [] : ["not every workflow has passed."];
    } finally {
      await close();
    }
  },
});
