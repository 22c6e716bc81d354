/**
 * `npm start`: shows sessions that end, against the sandbox; with `--live`, ends one session on the real API.
 * It reads flags and environment and decides on the exit code; the steps are `demo-steps.ts`.
 */
import { parseArgs } from "node:util";
import { createSession, type Session, SessionError } from "../src/index.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import { runDemo } from "./demo-steps.ts";

const help = `Usage: npm start
       npm start -- --live [--revoke] [--allow-production]

Logs in, reads, logs out and revokes against a sandbox of the Baanx API that
is started for it, and checks each step.

  --live              ends the session of BAANX_ACCESS_TOKEN on the API at
                      BAANX_BASE_URL instead, and prints what became of it
  --revoke            with --live: the token is one of an OAuth authorization, so
                      revoke it; without, log out
  --allow-production  with --live: allows the host api.baanx.com
  --help              shows this text

Environment of --live, read only then:

  BAANX_BASE_URL      such as https://dev.api.baanx.com
  BAANX_CLIENT_KEY    the public client key
  BAANX_ACCESS_TOKEN  the access token to end; it is never printed
  BAANX_REGION        international (default) or us

Exit codes: 0 every step held, or the session is over on the server; 1 not;
2 wrong usage.
`;

/** The call cannot be carried out as it stands: one line, exit code 2. */
class Usage extends Error {}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Usage)) throw error;
  process.stderr.write(`demo: ${error.message}\n`);
  process.exitCode = 2;
}

async function main(): Promise<number> {
  const { live, help: isHelp, ...flags } = readFlags();
  if (isHelp) {
    process.stdout.write(help);
    return 0;
  }
  const needless = Object.keys(flags)[0];
  if (!live && needless) throw new Usage(`--${needless} needs --live. See --help.`);
  return (await (live ? endLive(flags) : runDemo(createSandboxApp(), print))) ? 0 : 1;
}

function readFlags() {
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({ options: { live: flag, revoke: flag, "allow-production": flag, help: flag } }).values;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split(/\.\s|\n/, 1)[0] : "Wrong usage";
    throw new Usage(`${reason}. See --help.`);
  }
}

/** Ends one real session. Resolves to whether it is over on the server. */
async function endLive({ revoke = false, "allow-production": isAllowed = false }): Promise<boolean> {
  const baseUrl = variable("BAANX_BASE_URL");
  const clientKey = variable("BAANX_CLIENT_KEY");
  const accessToken = variable("BAANX_ACCESS_TOKEN");
  const region = regionOf(process.env["BAANX_REGION"] || "international");
  // How far a revoke reaches is assumed, and nothing on production is ended by mistake.
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname : "";
  if (!isAllowed && /^api\.baanx\.com\.?$/.test(host)) {
    throw new Usage("BAANX_BASE_URL is the production API: add --allow-production if you mean it.");
  }

  let session: Session;
  try {
    // Nothing tries again once this process is over, so nothing is kept for that.
    session = createSession({ baseUrl, clientKey, region, onUnconfirmed: "discard" });
    await session.start({ accessToken, grant: revoke ? "oauth" : "login" });
  } catch (error) {
    if (error instanceof SessionError) throw new Usage(`${variableIn(error.message)}.`);
    throw error;
  }
  print(`This runs against ${baseUrl}, region ${region}.`);
  const end = await (revoke ? session.revoke() : session.logout());
  const isOver = end.server === "confirmed" || end.server === "already-invalid";
  print(`${isOver ? "✓" : "✗"} server  ${end.server}${end.error ? `: ${end.error.message}` : ""}`);
  print(`${end.local === "cleared" ? "✓" : "✗"} local   ${end.local}`);
  if (end.server === "already-invalid") {
    print("This environment does not accept the token: it had ended, or belongs to another one or region.");
  }
  return isOver;
}

function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Usage(`${name} is not set. See --help.`);
  return value;
}

/** A refused option is named and never quoted; here its variable is named: `baseUrl` is `BAANX_BASE_URL`. */
function variableIn(message: string): string {
  return message
    .replace("invalid-option: ", "")
    .replace(/^\w+/, (option) => `BAANX_${option.replace(/[A-Z]/g, "_$&").toUpperCase()}`);
}

function regionOf(text: string): "international" | "us" {
  if (text === "international" || text === "us") return text;
  throw new Usage("BAANX_REGION must be international or us.");
}

function print(line: string): void {
  const isColour = process.stdout.isTTY && !process.env["NO_COLOR"];
  const shown = isColour ? line.replace(/^✓/, "\x1b[32m✓\x1b[39m").replace(/^✗/, "\x1b[31m✗\x1b[39m") : line;
  process.stdout.write(`${shown}\n`);
}
