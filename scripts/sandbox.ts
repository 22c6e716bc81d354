/**
 * `npm run sandbox`: runs the reference provider on a port until it is interrupted, and prints what a person
 * needs to talk to it. The provider itself is `contracts/provider`.
 */
import { parseArgs } from "node:util";
import { createReferenceProvider, type ReferenceProvider } from "../contracts/provider/provider.ts";
import { startServer } from "../contracts/provider/server.ts";
import { firstSentence } from "./message.ts";

const help = `Usage: npm run sandbox -- [--port <number>]

Runs a stand-in for the Baanx API, not Baanx, on 127.0.0.1 until it is
interrupted (Ctrl-C). What it knows is forgotten at the end.

  --port <number>  the port to listen on, 0 to 65535; default 0: any free port
  --help           shows this text

Exit codes: 0 stopped, 1 the port cannot be had, 2 wrong usage.
`;

process.exitCode = await main();

async function main(): Promise<number> {
  let port: number;
  try {
    const { values } = parseArgs({ options: { port: { type: "string" }, help: { type: "boolean" } } });
    if (values.help) {
      process.stdout.write(help);
      return 0;
    }
    port = portOf(values.port ?? "0");
  } catch (error) {
    return fail(`${firstSentence(error)} See --help.`, 2);
  }

  const provider = createReferenceProvider();
  try {
    const server = await startServer(provider, { port });
    const stop = () => void server.close();
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    process.stdout.write(greeting(provider, server.url));
    return 0;
  } catch (error) {
    const inUse = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    const reason = inUse ? "it is in use." : firstSentence(error);
    return fail(`Cannot listen on port ${port}: ${reason}`, 1);
  }
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new Error(`--port takes a number from 0 to 65535, not "${text}".`);
}

function greeting({ clientKey, user }: ReferenceProvider, url: string): string {
  const body = JSON.stringify({ email: user.email, password: user.password });
  return `This is a stand-in for the Baanx API, not Baanx. Its users and tokens are made up and kept in memory.

  address     ${url}
  client key  ${clientKey}
  e-mail      ${user.email}
  password    ${user.password}

Log in with:

curl -sS ${url}/v1/auth/login -H 'x-client-key: ${clientKey}' -H 'content-type: application/json' -d '${body}'

Stop with Ctrl-C.
`;
}

function fail(line: string, exitCode: number): number {
  process.stderr.write(`sandbox: ${line}\n`);
  return exitCode;
}
