/**
 * An access token as people hand it over, and what is wrong with it. Quotation marks and JSON are characters that a
 * token may have, so the server would say 401 to them, which looks like a token that has ended.
 */
import { CREDENTIAL } from "../record.ts";

/** What is wrong with a text in the place of an access token, without quoting it; undefined for one that may be one. */
export function problemOf(text: string): string | undefined {
  if (/^["'`]/.test(text)) return "is in quotation marks: leave them out (jq -r does)";
  if (/^[{[]/.test(text)) return "is JSON: give the token alone (jq -r .accessToken), or a list with --stdin";
  if (/^(null|undefined)$/.test(text)) return `is the word ${text}: where it came from there was none`;
  if (!CREDENTIAL.test(text)) return "must be visible ASCII characters without spaces";
  return undefined;
}
