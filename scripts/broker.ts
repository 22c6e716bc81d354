/**
 * `npm run broker`: runs a real Pact Broker on this machine until it is interrupted. How that is done is
 * `contracts/broker/start.ts`.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startBroker, whyNoBroker } from "../contracts/broker/start.ts";
import { firstSentence } from "../contracts/message.ts";

const help = `Usage: npm run broker -- [--port <number>] [--folder <path>]

Runs a Pact Broker, the Ruby gem, on 127.0.0.1 until it is interrupted (Ctrl-C).
\`npm run broker:install\` installs the gem before the first time.

  --port <number>   the port to listen on, 0 to 65535; default 0: any free port
  --folder <path>   where its database is kept; default contracts/broker/data
  --help            shows this text

It asks for credentials when these are set:

  PACT_BROKER_BASIC_AUTH_USERNAME, PACT_BROKER_BASIC_AUTH_PASSWORD
  PACT_BROKER_BASIC_AUTH_READ_ONLY_USERNAME, PACT_BROKER_BASIC_AUTH_READ_ONLY_PASSWORD

Exit codes: 0 stopped, 1 it cannot be started or has crashed, 2 wrong usage.
`;

const data = fileURLToPath(new URL("../contracts/broker/data", import.meta.url));
process.exitCode = await main();

async function main(): Promise<number> {
  let port: number;
  let folder: string;
  try {
    const { values } = parseArgs({
      options: { port: { type: "string" }, folder: { type: "string" }, help: { type: "boolean" } },
    });
    if (values.help) {
      process.stdout.write(help);
      return 0;
    }
    port = portOf(values.port ?? "0");
    folder = values.folder ?? data;
    checkCredentials();
  } catch (error) {
    return fail(`${firstSentence(error)} See --help.`, 2);
  }

  const missing = whyNoBroker();
  if (missing)
    return fail(`${missing}; or use Docker: docker compose -f contracts/broker/compose.yaml up --wait`, 1);
  const stopped = interruption();
  try {
    const broker = await startBroker({ folder, port, environment: process.env });
    process.stdout.write(`A Pact Broker listens at ${broker.url}\n\n`);
    process.stdout.write(`export PACT_BROKER_BASE_URL=${broker.url}\n\nStop with Ctrl-C.\n`);
    const isAsked = await Promise.race([stopped.then(() => true), broker.ended.then(() => false)]);
    if (!isAsked) return fail(`it has ended by itself; ${broker.log} says why.`, 1);
    await broker.stop();
    return 0;
  } catch (error) {
    return fail(firstSentence(error), 1);
  }
}

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
      throw new Error(`${name} and ${password} go together.`);
  }
  const { PACT_BROKER_BASIC_AUTH_USERNAME: writer, PACT_BROKER_BASIC_AUTH_READ_ONLY_USERNAME: reader } =
    process.env;
  if (reader && !writer) throw new Error("A read-only user needs one who may write.");
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new Error(`--port takes a number from 0 to 65535, not "${text}".`);
}

function fail(line: string, exitCode: number): number {
  process.stderr.write(`broker: ${line}\n`);
  return exitCode;
}
