/** Reads values from outside without trusting their types. */

/** Returns the properties of any value; an empty object for `undefined`, `null` and primitives. */
export const fieldsOf = (value: unknown): Record<string, unknown> => Object(value);

/** Returns the properties of a JSON string, or of a value read from one; an empty object if it is not valid JSON. */
export function jsonOf(value: unknown): Record<string, unknown> {
  try {
    return fieldsOf(typeof value === "string" ? JSON.parse(value) : value);
  } catch {
    return {};
  }
}
