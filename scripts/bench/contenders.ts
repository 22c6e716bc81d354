/**
 * The package as it is published, and those that it is measured beside. They are loaded by name, since the
 * compiler runs where they are not installed; what is used of them is declared here.
 */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** From `dist/`: tsx would add code of its own to the sources. */
export async function ours(): Promise<typeof import("../../src/index.ts")> {
  return import(pathToFileURL(resolve(import.meta.dirname, "../../dist/index.js")).href);
}

export async function oauth4webapi(): Promise<OAuth> {
  return import(nameOf("oauth4webapi"));
}

export async function supabase(): Promise<{ AuthClient: new (options: object) => SupabaseAuth }> {
  return import(nameOf("@supabase/auth-js"));
}

interface OAuth {
  allowInsecureRequests: symbol;
  None(): unknown;
  revocationRequest(
    server: object,
    client: object,
    authentication: unknown,
    token: string,
    options: object,
  ): Promise<Response>;
  processRevocationResponse(response: Response): Promise<void>;
}

interface SupabaseAuth {
  signOut(options: { scope: "local" }): Promise<{ error: unknown }>;
}

/** Keeps the compiler from looking for it. */
const nameOf = (name: string): string => name;
