/**
 * An access token as people paste it, with advice for the command line. Which values can be tokens at all is decided by
 * `../token-rule.ts`.
 */
import { tokenProblem } from "../token-rule.ts";

/** Returns why a string is not a usable access token, without quoting it; undefined if it is one. */
export function problemOf(string: string): string | undefined {
  if (/^["'`]/.test(string)) return "is in quotation marks: leave them out (jq -r does)";
  if (/^[{[]/.test(string))
    return "is JSON: give the token alone (jq -r .accessToken), or a list with --stdin";
  return tokenProblem(string);
}
