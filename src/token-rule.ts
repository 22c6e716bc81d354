/** Decides which values can be tokens. It serves everything that takes one, and knows no session. */

/** The first rule that a string breaks says why it is not a token. */
const rules: readonly (readonly [broken: RegExp, problem: string])[] = [
  [/^Bearer /i, 'begins with "Bearer ": pass the token alone'],
  [/\s/, "has blanks: trim it and pass one token"],
  [/^["'{]/, "is quoted or JSON: parse it and pass the token alone"],
  [/^(null|undefined|none|nil)$/i, "is a word for no token: check that the login is complete"],
  [/[^!-~]/, "is not visible ASCII: pass it as the server sent it"],
];

/**
 * Returns why a value is not a usable token, as words that follow the name of the option; the token is not quoted.
 *
 * @returns `undefined` for a usable token
 */
export function tokenProblem(value: unknown): string | undefined {
  if (value === undefined || value === null || value === "")
    return "is missing: check that the login is complete";
  if (typeof value !== "string") return "is not a string: pass the token alone";
  return rules.find(([broken]) => broken.test(value))?.[1];
}
