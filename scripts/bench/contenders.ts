/**
 * The published package and the packages to compare it with. They are loaded by name and their types declared here,
 * because the compiler runs without them.
 */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** Loads `dist/`, because tsx would add code to the sources. */
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

/** Hides the package from the compiler. */
const nameOf = (name: string): string => name;
