/** Decides whether a value can be a token. */
import { CREDENTIAL } from "./record.ts";

/** Returns why a value is not a usable token; undefined if it is one. */
export function tokenProblem(value: unknown): string | undefined {
  if (value === undefined || value === null || value === "") return "is missing";
  if (typeof value !== "string") return "must be a string";
  if (/^(null|undefined|none|nil)$/i.test(value))
    return "is a word for a missing token: pass the token itself";
  if (/^["'{]/.test(value)) return "is quoted or JSON: parse it first";
  if (/^Bearer /i.test(value)) return 'begins with "Bearer ": pass the token alone';
  if (!CREDENTIAL.test(value)) return "must be visible ASCII characters without spaces";
  return undefined;
}
