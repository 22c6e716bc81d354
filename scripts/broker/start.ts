/**
 * `npm run broker`: runs a real Pact Broker on this machine until it is interrupted. How that is done is
 * `contracts/broker/start.ts`.
 */
import { fileURLToPath } from "node:url";
import { startBroker, whyNoBroker } from "../../contracts/broker/start.ts";
import { type Command, portOf, UsageError } from "../../contracts/command.ts";

const help = `Usage: npm run broker -- [--port <number>] [--folder <path>]
       npm run broker -- setup --help
       npm run broker -- webhook --help

Runs a Pact Broker, the Ruby gem, on 127.0.0.1 until it is interrupted (Ctrl-C).
\`bundle install --gemfile contracts/broker/Gemfile\` installs the gem before the first time.
With setup or webhook it prepares a broker that runs already.

  --port <number>   the port to listen on, 0 to 65535; default 0: any free port
  --folder <path>   where its database is kept; default contracts/broker/data
  --help            shows this text

It asks for credentials when these are set:

  PACT_BROKER_BASIC_AUTH_USERNAME, PACT_BROKER_BASIC_AUTH_PASSWORD
  PACT_BROKER_BASIC_AUTH_READ_ONLY_USERNAME, PACT_BROKER_BASIC_AUTH_READ_ONLY_PASSWORD

Exit codes: 0 stopped, 1 it cannot be started or has crashed, 2 wrong usage.
`;

const data = fileURLToPath(new URL("../../contracts/broker/data", import.meta.url));
const options = { port: { type: "string" }, folder: { type: "string" } } as const;

export const start: Command<typeof options> = {
  name: "broker",
  help,
  options,
  async run({ port: given = "0", folder = data }) {
    const port = portOf(given);
    checkCredentials();
    const missing = whyNoBroker();
    if (missing)
      throw new Error(`${missing}; or use Docker: docker compose -f contracts/broker/compose.yaml up --wait`);
    const stopped = interruption();
    const broker = await startBroker({ folder, port, environment: process.env });
    process.stdout.write(`A Pact Broker listens at ${broker.url}\n\n`);
    process.stdout.write(`export PACT_BROKER_BASE_URL=${broker.url}\n\nStop with Ctrl-C.\n`);
    const isAsked = await Promise.race([stopped.then(() => true), broker.ended.then(() => false)]);
    if (!isAsked) throw new Error(`it has ended by itself; ${broker.log} says why.`);
    await broker.stop();
  },
};

/** Heard from the start: an interruption while it starts stops it as soon as it has. */
function interruption(): Promise<void> {
  return new Promise((resolve) => {
    process.on("SIGINT", () => resolve());
    process.on("SIGTERM", () => resolve());
  });
}

/** A user without a password would leave the broker open without a word. */
function checkCredentials(): void {
  for (const user of ["", "READ_ONLY_"]) {
    const [name, password] = ["USERNAME", "PASSWORD"].map((one) => `PACT_BROKER_BASIC_AUTH_${user}${one}`);
    if (name && password && !process.env[name] !== !process.env[password])
      throw new UsageError(`Set both ${name} and ${password}, or neither.`);
  }
  const { PACT_BROKER_BASIC_AUTH_USERNAME: writer, PACT_BROKER_BASIC_AUTH_READ_ONLY_USERNAME: reader } =
    process.env;
  if (reader && !writer) throw new UsageError("A read-only user needs one who may write.");
}
