/**
 * Checks the arguments of an adapter. Its error is a TypeError with the code of a SessionError: an adapter is a file of
 * its own, without the core.
 */

/** Returns whether a value has methods of these names. */
export const hasMethods = (value: unknown, ...names: string[]): boolean =>
  value !== null &&
  value !== undefined &&
  names.every((name) => typeof (value as Record<string, unknown>)[name] === "function");

/** @throws TypeError with the code `invalid-option`, unless the argument is valid; it never quotes the value */
export function requireThat(isValid: boolean, argument: string, must: string): void {
  if (isValid) return;
  const message = `invalid-option: ${argument} must be ${must} (docs/results-and-errors.md#invalid-option)`;
  throw Object.assign(new TypeError(message), { code: "invalid-option" });
}

/** @throws TypeError, because one name for all users would make one session of them */
export function requireName(argument: string, value: unknown): void {
  requireThat(
    typeof value === "string" && value !== "",
    argument,
    "a string that is not empty, and another one for each session",
  );
}
