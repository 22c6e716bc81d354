/**
 * `npm start`: demonstrates endings against the sandbox. With `--live`, ends one session on the real API. Reads the
 * environment and sets the exit code; `demo-steps.ts` has the steps.
 */
import { runCommand, UsageError } from "../contracts/command.ts";
import { isProduction } from "../contracts/target.ts";
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

const flag = { type: "boolean" } as const;

await runCommand({
  name: "demo",
  help,
  options: { live: flag, revoke: flag, "allow-production": flag },
  async run({ live, ...flags }) {
    const needless = Object.keys(flags)[0];
    if (!live && needless) throw new UsageError(`--${needless} needs --live.`);
    const isDone = await (live ? endLive(flags) : runDemo(createSandboxApp(), print));
    if (!isDone) process.exitCode = 1;
  },
});

/** Ends one real session. Resolves to whether it has ended on the server. */
async function endLive({ revoke = false, "allow-production": isAllowed = false }): Promise<boolean> {
  const baseUrl = variable("BAANX_BASE_URL");
  const clientKey = variable("BAANX_CLIENT_KEY");
  const accessToken = variable("BAANX_ACCESS_TOKEN");
  const region = regionOf(process.env["BAANX_REGION"] || "international");
  // The reach of a revocation is an assumption, so production needs explicit permission.
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname : "";
  if (!isAllowed && isProduction(host)) {
    throw new UsageError("BAANX_BASE_URL is the production API: add --allow-production if you mean it.");
  }

  let session: Session;
  try {
    // No retry happens after this process, so the store keeps no token.
    session = createSession({ baseUrl, clientKey, region, onUnconfirmed: "discard" });
    await session.start({ accessToken, grant: revoke ? "oauth" : "login" });
  } catch (error) {
    if (error instanceof SessionError) throw new UsageError(`${variableIn(error.message)}.`);
    throw error;
  }
  print(`This runs against ${baseUrl}, region ${region}.`);
  const end = await session.end();
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
  if (!value) throw new UsageError(`${name} is not set.`);
  return value;
}

/** Replaces the name of a rejected option by its variable, such as `BAANX_BASE_URL` for `baseUrl`. Quotes no value. */
function variableIn(message: string): string {
  return message
    .replace(/^invalid-option: |(, or for development with .*)? \(docs.*$/g, "")
    .replace(/^\w+/, (option) => `BAANX_${option.replace(/[A-Z]/g, "_$&").toUpperCase()}`);
}

function regionOf(text: string): "international" | "us" {
  if (text === "international" || text === "us") return text;
  throw new UsageError("BAANX_REGION must be international or us.");
}

function print(line: string): void {
  const isColour = process.stdout.isTTY && !process.env["NO_COLOR"];
  const shown = isColour ? line.replace(/^✓/, "\x1b[32m✓\x1b[39m").replace(/^✗/, "\x1b[31m✗\x1b[39m") : line;
  process.stdout.write(`${shown}\n`);
}
