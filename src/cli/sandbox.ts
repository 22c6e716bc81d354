/**
 * The command `sandbox`: the sandbox on a port until it is interrupted, with what a person needs to
 * talk to it. It is loaded only here, so that no other command carries it.
 */
import { randomInt } from "node:crypto";
import type { Sandbox, SentCode, User } from "../sandbox/index.ts";
import { UsageError } from "./usage.ts";

/** @returns the exit code, at once: the port keeps the process alive. @throws UsageError */
export async function runSandbox(portText = "0"): Promise<number> {
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 65_536;
  if (port > 65_535) throw new UsageError("--port takes a number from 0 to 65535.");
  const { startSandbox } = await import("../sandbox/index.ts");
  try {
    const sandbox = await startSandbox({ port, onCode: showCode });
    const otpCode = String(randomInt(100_000, 1_000_000));
    const withCode = sandbox.addUser({ email: "grace@example.com", otpCode });
    const stop = () => void sandbox.close();
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    process.stdout.write(greeting(sandbox, sandbox.url, withCode));
    return 0;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : error;
    const reason = code === "EADDRINUSE" ? "it is in use" : String(code);
    process.stderr.write(
      `sandbox: Cannot listen on port ${port}: ${reason}. Give another --port, or none for one that is free.\n`,
    );
    return 1;
  }
}

/** What an SMS would say. */
function showCode({ userId, email, otpCode }: SentCode): void {
  process.stdout.write(`The one-time password of ${email} (${userId}) is ${otpCode}.\n`);
}

function greeting({ clientKey, user }: Sandbox, url: string, withCode: User): string {
  const body = JSON.stringify({ email: user.email, password: user.password });
  return `This is a sandbox of the Baanx API, not Baanx. Its users and tokens are made up and kept in memory.

  address     ${url}
  client key  ${clientKey}
  e-mail      ${user.email}
  password    ${user.password}

A login of ${withCode.email}, with the same password, is complete only with a one-time password: ask for it at
/v1/auth/login/otp, and it is shown here.

In another terminal, log in and keep the access token in a file:

curl -sS ${url}/v1/auth/login -H 'x-client-key: ${clientKey}' -H 'content-type: application/json' -d '${body}' |
  node -p 'JSON.parse(fs.readFileSync(0)).accessToken' > token.txt

End its session:

BAANX_BASE_URL=${url} BAANX_CLIENT_KEY=${clientKey} npx --no -- baanx-session logout --verify < token.txt

Stop with Ctrl-C.
`;
}
