/** `npm run broker`: runs a real Pact Broker on this machine until it is interrupted, by `contracts/broker/start.ts`. */
import { fileURLToPath } from "node:url";
import { startBroker, whyNoBroker } from "../contracts/broker/start.ts";
import { portOf, runCommand, UsageError } from "../contracts/command.ts";

const help = `Usage: npm run broker -- [--port <number>] [--folder <path>]

Runs a Pact Broker, the Ruby gem, on 127.0.0.1 until it is interrupted (Ctrl-C).
\`bundle install --gemfile contracts/broker/Gemfile\` installs the gem before the first time.

  --port <number>   the port to listen on, 0 to 65535; default 0: any free port
  --folder <path>   where its database is kept; default contracts/broker/data
  --help            shows this text

It asks for credentials when these are set:

  PACT_BROKER_BASIC_AUTH_USERNAME, PACT_BROKER_BASIC_AUTH_PASSWORD
  PACT_BROKER_BASIC_AUTH_READ_ONLY_USERNAME, PACT_BROKER_BASIC_AUTH_READ_ONLY_PASSWORD

Exit codes: 0 stopped, 1 it cannot be started or has crashed, 2 wrong usage.
`;

const data = fileURLToPath(new URL("../contracts/broker/data", import.meta.url));

await runCommand({
  name: "broker",
  help,
  options: { port: { type: "string" }, folder: { type: "string" } },
  async run({ port: given = "0", folder = data }) {
    const port = portOf(given);
    checkCredentials();
    const missing = whyNoBroker();
    if (missing)
      throw new Error(`${missing}; or use Docker: docker compose -f contracts/broker/compose.yaml up --wait`);
    // Listens from the start: an interruption during the start stops the broker once it runs.
    const stopped = new Promise<boolean>((resolve) => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => resolve(true));
    });
    const broker = await startBroker({ folder, port, environment: process.env });
    process.stdout.write(`A Pact Broker listens at ${broker.url}\n\n`);
    process.stdout.write(`export PACT_BROKER_BASE_URL=${broker.url}\n\nStop with Ctrl-C.\n`);
    const isAsked = await Promise.race([stopped, broker.ended.then(() => false)]);
    if (!isAsked) throw new Error(`it has ended by itself; ${broker.log} says why.`);
    await broker.stop();
  },
});

/** Rejects a user without a password, which would leave the broker open. */
function checkCredentials(): void {
  const { env } = process;
  const variable = "PACT_BROKER_BASIC_AUTH_";
  for (const user of [variable, `${variable}READ_ONLY_`])
    if (!env[`${user}USERNAME`] !== !env[`${user}PASSWORD`])
      throw new UsageError(`Set both ${user}USERNAME and ${user}PASSWORD, or neither.`);
  if (env[`${variable}READ_ONLY_USERNAME`] && !env[`${variable}USERNAME`])
    throw new UsageError("A read-only user needs one who may write.");
}
