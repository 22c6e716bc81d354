/** Valid tokens, and the messages about invalid ones. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { tokenProblem } from "../src/token-rule.ts";

it.each([
  "US_b6b9168a-1c2d",
  "access_token_100a99cf",
  "a.b.c",
  "nullable",
  "nilled",
  "Bearer",
  "x",
  "a/b+c=",
  "~!",
])("accepts %s", (token) => {
  expect(tokenProblem(token)).toBeUndefined();
});

it.each([undefined, null, ""])("reports %j as missing", (value) => {
  expect(tokenProblem(value)).toBe("is missing: check that the login is complete");
});

it.each([
  { values: [7, true, {}, ["a"], Symbol("a"), Object("a")], problem: /^is not a string: / },
  { values: ["Bearer abc", "bearer abc", "Bearer "], problem: /^begins with "Bearer ": / },
  { values: [" abc", "abc ", "a bc", "abc\n", "\t", "a\u00a0c", " null"], problem: /^has blanks: / },
  { values: ['"abc"', "'abc'", '{"accessToken":"abc"}', '"null"'], problem: /^is quoted or JSON: / },
  { values: ["null", "undefined", "none", "nil", "NULL", "None"], problem: /^is a word for no token: / },
  { values: ["t\u00f6ken", "\u200babc", "abc\u0000", "abc\u007f"], problem: /^is not visible ASCII: / },
])("names the problem and the fix: $problem", ({ values, problem }) => {
  for (const value of values) expect(tokenProblem(value)).toMatch(problem);
});

it("never quotes the value", () => {
  const long = fc.string({ minLength: 12 });
  fc.assert(
    fc.property(long, fc.constantFrom('"', "Bearer ", "{", " ", "\u00e9"), (text, before) => {
      expect(tokenProblem(before + text)).not.toContain(text);
    }),
    { seed: 20_251_128 },
  );
});
