/**
 * One thing that a provider gets wrong, as a layer between its callers and the sandbox. Which
 * breakages there are is told by `broken-*.ts`.
 */
import type { SandboxApp } from "../../src/sandbox/sandbox.ts";

/** What a breakage can go by and meddle with. */
export interface Workings {
  /** The clock, in milliseconds; it moves only between steps. */
  now(): number;
  /** Sends a request to the sandbox as it is. */
  pass(request: Request): Promise<Response>;
  provider: SandboxApp;
  /** The OAuth access tokens that were handed in. */
  authorizations: string[][];
  /** The access tokens of all logins so far. */
  logins: string[];
  /** Ends a session or an authorization behind everybody's back. */
  end(method: "POST" | "DELETE", token: string): Promise<void>;
}

type Handler = (request: Request) => Promise<Response>;

export interface Breakage {
  name: string;
  /** Lets the handler answer each request; what it does not care for, it passes on. */
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

/** A breakage of one endpoint alone. */
export function at(
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

/** Does what it is asked to do, and puts another answer in place of one of that status. */
export function answering(
  endpoint: EndpointName,
  status: number,
  name: string,
  answer: (real: Record<string, unknown>) => Response,
): Breakage {
  return at(endpoint, name, async (request, { pass }) => {
    const response = await pass(request);
    return response.status === status ? answer({ ...(await response.json()) }) : response;
  });
}

/** Does more than it was asked to do, once the call has succeeded. */
export function more(
  endpoint: "logout" | "revoke",
  name: string,
  meddle: (workings: Workings) => Promise<unknown>,
): Breakage {
  return at(endpoint, name, async (request, workings) => {
    const response = await workings.pass(request);
    if (response.status === 200) await meddle(workings);
    return response;
  });
}

export const endAll = ({ end }: Workings, method: "POST" | "DELETE", tokens: string[]) =>
  Promise.all(tokens.map((token) => end(method, token)));
