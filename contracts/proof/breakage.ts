/**
 * A layer over the sandbox that breaks one behaviour of the provider. `broken-*.ts` define the breakages.
 */
import type { SandboxApp } from "../../src/sandbox/sandbox.ts";

/** The parts of the sandbox that a breakage may use and change. */
export interface Workings {
  /** The clock, in milliseconds. It moves only between steps. */
  now(): number;
  /** Sends a request to the sandbox as it is. */
  pass(request: Request): Promise<Response>;
  provider: SandboxApp;
  /** The access tokens of the OAuth authorizations given to the run. */
  authorizations: string[][];
  /** The access tokens of all logins so far. */
  logins: string[];
  /** Ends a session or an authorization without a request from its client. */
  end(method: "POST" | "DELETE", token: string): Promise<void>;
}

type Handler = (request: Request) => Promise<Response>;

export interface Breakage {
  name: string;
  /** Returns the handler of all requests, which passes unaffected requests on. */
  behave(workings: Workings): Handler;
}

const endpoints = {
  login: "POST /v1/auth/login",
  logout: "POST /v1/auth/logout",
  revoke: "DELETE /v1/auth/oauth/revoke",
  user: "GET /v1/user",
} as const;

export type EndpointName = keyof typeof endpoints;

export const isCall = (request: Request, name: EndpointName): boolean =>
  `${request.method} ${new URL(request.url).pathname}` === endpoints[name];

export const tokenOf = ({ headers }: Request): string => (headers.get("authorization") ?? "").slice(7);

export const json = (body: unknown, status = 200): Response => Response.json(body, { status });

/** A breakage of one endpoint. */
export function faulty(
  endpoint: EndpointName,
  name: string,
  behave: (request: Request, workings: Workings) => Promise<Response>,
): Breakage {
  return {
    name,
    behave: (workings) => (request) =>
      isCall(request, endpoint) ? behave(request, workings) : workings.pass(request),
  };
}

/** Performs the request, but replaces answers of one status. */
export function answering(
  endpoint: EndpointName,
  status: number,
  name: string,
  answer: (real: Record<string, unknown>) => Response,
): Breakage {
  return faulty(endpoint, name, async (request, { pass }) => {
    const response = await pass(request);
    return response.status === status ? answer({ ...(await response.json()) }) : response;
  });
}

/** Performs the request, and does something else after it succeeds. */
export function also(
  endpoint: "logout" | "revoke",
  name: string,
  meddle: (workings: Workings) => Promise<unknown>,
): Breakage {
  return faulty(endpoint, name, async (request, workings) => {
    const response = await workings.pass(request);
    if (response.status === 200) await meddle(workings);
    return response;
  });
}

export const endAll = ({ end }: Workings, method: "POST" | "DELETE", tokens: string[]) =>
  Promise.all(tokens.map((token) => end(method, token)));
