/**
 * `npm start`: demonstrates endings against the sandbox. With `--live`, the package's own command ends one session on the
 * real API; production needs explicit permission, because the reach of a revocation is an assumption.
 */
import { Readable } from "node:stream";
import { runCommand, UsageError } from "../contracts/command.ts";
import { isProduction } from "../contracts/target.ts";
import { main } from "../src/cli/main.ts";
import { coloured } from "../src/cli/output.ts";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import { runDemo } from "./demo-steps.ts";

const help = `Usage: npm start
       npm start -- --live [--revoke] [--allow-production]

Logs in, reads, logs out and revokes against a sandbox of the Baanx API that
is started for it, and checks each step.

  --live              ends the session of BAANX_ACCESS_TOKEN on the API at
                      BAANX_BASE_URL instead, as \`baanx-session logout\` does
  --revoke            with --live: the token is one of an OAuth authorization, so
                      revoke it; without, log out
  --allow-production  with --live: allows the host api.baanx.com
  --help              shows this text

Environment of --live, read only then:

  BAANX_BASE_URL      such as https://dev.api.baanx.com
  BAANX_CLIENT_KEY    the public client key
  BAANX_ACCESS_TOKEN  the access token to end; it is never printed
  BAANX_REGION        international (default) or us

Exit codes: 0 every step held, or the server has ended the session; 1 not;
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
    if (live) process.exitCode = await endLive(flags);
    else if (!(await runDemo(createSandboxApp(), print))) process.exitCode = 1;
  },
});

/** Ends one real session, and returns the exit code. */
async function endLive({ revoke = false, "allow-production": isAllowed = false }): Promise<number> {
  const { env, stdout, stderr } = process;
  const baseUrl = env["BAANX_BASE_URL"] ?? "";
  if (!isAllowed && URL.canParse(baseUrl) && isProduction(new URL(baseUrl).hostname))
    throw new UsageError("BAANX_BASE_URL is the production API: add --allow-production if you mean it.");
  const root = new URL("..", import.meta.url);
  // The token comes from the environment alone.
  const io = { env, stdin: Readable.from([]), stdout, stderr, root };
  return main([revoke ? "revoke" : "logout"], { ...io, signals: () => new AbortController().signal });
}

function print(line: string): void {
  const shown = line.replace(/^[✓✗]/, (mark) =>
    coloured(mark, mark === "✓" ? "green" : "red", process.stdout),
  );
  process.stdout.write(`${shown}\n`);
}
