/** Looks into values from outside, of which nothing is known. */

/** The properties of a value that nothing is known of; of `undefined` and the like, none. */
export const fieldsOf = (value: unknown): Record<string, unknown> => Object(value);

/** The properties of a JSON text, or of what was read from one; none where that is no object. */
export function jsonOf(value: unknown): Record<string, unknown> {
  try {
    return fieldsOf(typeof value === "string" ? JSON.parse(value) : value);
  } catch {
    return {};
  }
}
