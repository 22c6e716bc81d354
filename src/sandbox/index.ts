/**
 * The exports of `baanx-session/sandbox`, for the tests of an application: a stateful sandbox of the Baanx API,
 * in process or on a port. For Node.
 */
import { createSandboxApp, type Sandbox, type SandboxOptions } from "./sandbox.ts";
import type { RunningServer } from "./server.ts";

export type { Fault } from "./faults.ts";
export type { WrongOtp } from "./routes.ts";
export type { RecordedRequest, Sandbox, SandboxOptions } from "./sandbox.ts";
export type { Account, CodeGrant, Phase, Region, SentCode, User } from "./state.ts";

/** Where a sandbox listens. */
export interface ListenOptions {
  /** Default 0: any free port. */
  port?: number;
  /** Default `127.0.0.1`. */
  host?: string;
}

/** A sandbox on a port. */
export interface RunningSandbox extends Sandbox, RunningServer {}

/**
 * A sandbox of the Baanx API, not Baanx, in process: give its `fetch` to a session.
 *
 * ```ts
 * const sandbox = createSandbox();
 * const session = createSession({ baseUrl: "https://dev.api.baanx.com", clientKey: sandbox.clientKey, fetch: sandbox.fetch });
 * await session.start({ ...sandbox.login(), grant: "login" });
 * sandbox.misbehave({ path: "/v1/auth/logout", status: 503, times: 1 });
 * ```
 */
export function createSandbox(options: SandboxOptions = {}): Sandbox {
  const { app: _, ...sandbox } = createSandboxApp(options);
  return sandbox;
}

/**
 * The same on a port of this machine, for callers without a `fetch` to inject: another process, a browser.
 *
 * @throws when the port cannot be had; `code` says why
 */
export async function startSandbox(options: SandboxOptions & ListenOptions = {}): Promise<RunningSandbox> {
  const { port = 0, host = "127.0.0.1", ...rest } = options;
  const { app, ...sandbox } = createSandboxApp(rest);
  // Imported here, since the server needs classes of Node that test environments such as jsdom hide.
  const { startServer } = await import("./server.ts");
  return { ...sandbox, ...(await startServer({ app }, { port, host })) };
}
