/**
 * Proves that contracts and conformance can fail: runs both against each broken provider and reports which one failed.
 * `broken-*.ts` define the breakages.
 */
import type { Interaction } from "../../src/cli/pact-replay.ts";
import { createSandboxApp } from "../../src/sandbox/sandbox.ts";
import { startServer } from "../../src/sandbox/server.ts";
import { type Result, runConformance } from "../conformance/run.ts";
import type { PactFile } from "../pact-file.ts";
import { sandboxTarget, type Target } from "../target.ts";
import { createDriver } from "../verification/driver.ts";
import { verifyFile } from "../verification/verify.ts";
import { type Breakage, isCall, type Workings } from "./breakage.ts";

export interface Proof {
  name: string;
  /** The failed interactions of the verification, and the pending ones. */
  contract: Interaction[];
  informs: Interaction[];
  /** The failed documented steps, and the other failed steps. */
  conformance: Result[];
  assumptions: Result[];
  /** The parties that the breakage breaks; empty if it was not detected. */
  breaks: ("this consumer" | "the documentation")[];
}

/** The correct provider. */
export const intact: Breakage = { name: "nothing is wrong", behave: ({ pass }) => pass };

/** Proves all breakages, two at a time, in the given order. */
export async function proveAll(breakages: readonly Breakage[], pact: PactFile): Promise<Proof[]> {
  const proofs: Proof[] = [];
  const left = breakages.entries();
  async function lane(): Promise<void> {
    for (const [index, breakage] of left) proofs[index] = await prove(breakage, pact);
  }
  await Promise.all([lane(), lane()]);
  return proofs;
}

async function prove(breakage: Breakage, pact: PactFile): Promise<Proof> {
  const interactions = await verifyBroken(breakage, pact);
  const results = await runBroken(breakage);
  const failed = results.filter(({ outcome }) => outcome === "failed");
  const conformance = failed.filter(({ evidence }) => evidence === "documented");
  const contract = interactions.filter(({ outcome }) => outcome === "failed" || outcome === "unready");
  // A state that failed is a wrong answer to the driver, not to this consumer.
  const isConsumerBroken = contract.some(({ outcome }) => outcome === "failed");
  return {
    name: breakage.name,
    contract,
    informs: interactions.filter(({ outcome }) => outcome === "pending"),
    conformance,
    assumptions: failed.filter((result) => !conformance.includes(result)),
    breaks: [
      ...(isConsumerBroken ? (["this consumer"] as const) : []),
      ...(conformance.length > 0 ? (["the documentation"] as const) : []),
    ],
  };
}

async function verifyBroken(breakage: Breakage, pact: PactFile): Promise<Interaction[]> {
  const { target, close } = await startBroken(breakage);
  return verifyFile(pact, { target, handlers: createDriver(target).handlers }).finally(close);
}

/** Starts a provider with this breakage on its own port. */
export async function startBroken(
  breakage: Breakage,
): Promise<{ target: Target; close: () => Promise<void> }> {
  const { handle, targetAt } = createBroken(breakage);
  const server = await startServer({ app: { fetch: async (incoming) => handle(await copyOf(incoming)) } });
  return { target: targetAt(server.url), close: server.close };
}

/** Copies a request, because `new Request` cannot copy or change the server's requests. */
async function copyOf(incoming: Request): Promise<Request> {
  const { url, method, headers } = incoming;
  const body = await incoming.text();
  return new Request(url, { method, headers, ...(body !== "" && { body }) });
}

/** Runs the conformance steps in process, with its own clock. */
function runBroken(breakage: Breakage): Promise<Result[]> {
  const { targetAt, advance } = createBroken(breakage);
  return runConformance({ target: targetAt("http://127.0.0.1"), pause: async () => advance(1_000) });
}

function createBroken(breakage: Breakage) {
  let now = 1_000_000;
  const provider = createSandboxApp({ now: () => now });
  const logins: string[] = [];
  const pass = async (request: Request) => provider.fetch(request);
  const workings: Workings = {
    now: () => now,
    pass,
    provider,
    authorizations: [],
    logins,
    async end(method, token) {
      const path = method === "POST" ? "/v1/auth/logout" : "/v1/auth/oauth/revoke";
      const headers = { "x-client-key": provider.clientKey, authorization: `Bearer ${token}` };
      await provider.fetch(`http://127.0.0.1${path}`, { method, headers });
    },
  };
  const behave = breakage.behave(workings);

  async function handle(request: Request): Promise<Response> {
    const response = await behave(request);
    if (!isCall(request, "login")) return response;
    const { accessToken }: Record<string, unknown> = { ...(await response.clone().json()) };
    if (typeof accessToken === "string") logins.push(accessToken);
    return response;
  }

  function targetAt(baseUrl: string): Target {
    const target = sandboxTarget(provider, baseUrl);
    workings.authorizations.push(...target.authorizations);
    return { ...target, fetch: (input, init) => handle(new Request(input, init)) };
  }

  const advance = (ms: number) => {
    now += ms;
  };
  return { handle, targetAt, advance };
}
