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

interface OAuth {
  allowInsecureRequests: symbol;
  None(): unknown;
  revocationRequest(
    ...of: [server: object, client: object, unknown, token: string, object]
  ): Promise<Response>;
  processRevocationResponse(response: Response): Promise<void>;
}
export const oauth4webapi = (): Promise<OAuth> => import(nameOf("oauth4webapi"));

interface Supabase {
  AuthClient: new (options: object) => { signOut(options: { scope: "local" }): Promise<{ error: unknown }> };
}
export const supabase = (): Promise<Supabase> => import(nameOf("@supabase/auth-js"));

/** Hides the package from the compiler. */
const nameOf = (name: string): string => name;
