/** An incident list: one `{"accessToken": "…", "region": "us", "id": "…"}` a line, as `baanx-session revoke --stdin` reads it. */
import { createInterface } from "node:readline";
import type { Place } from "./seal.ts";

export interface Row {
  line: number;
  id?: string | number;
  accessToken: string;
  region: Place["region"];
}

/** A line that is not valid; the reason quotes no part of it. */
export interface InvalidLine {
  line: number;
  invalid: string;
}

const KEYS = ["accessToken", "region", "id"];

/**
 * Reads no faster than the rows are consumed.
 *
 * @param usual - the region of a line without one
 */
export async function* rowsOf(
  input: NodeJS.ReadableStream,
  usual: Place["region"],
): AsyncGenerator<Row | InvalidLine> {
  let line = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    if (text.trim() !== "") yield rowOf(line, line === 1 ? text.replace(/^\uFEFF/, "") : text, usual);
  }
}

function rowOf(line: number, text: string, usual: Place["region"]): Row | InvalidLine {
  const fields = parsed(text);
  if (!fields) return { line, invalid: "it is no JSON object" };
  const { accessToken, region = usual, id } = fields;
  if (Object.keys(fields).some((key) => !KEYS.includes(key))) return { line, invalid: "a key is not known" };
  if (typeof accessToken !== "string") return { line, invalid: "accessToken must be a text" };
  // Quotation marks and JSON come from a wrong export: the server would answer 401, as it does for an ended token.
  if (!/^[!-~]+$/.test(accessToken) || /^(["'`{[]|(null|undefined|none|nil)$)/i.test(accessToken))
    return { line, invalid: "accessToken must be the bare token: visible ASCII characters without spaces" };
  if (region !== "international" && region !== "us")
    return { line, invalid: "region must be international or us" };
  if (id === undefined) return { line, accessToken, region };
  if (!isId(id)) return { line, invalid: "id must be a number, or a text of at most 200 characters" };
  if (String(id).includes(accessToken)) return { line, invalid: "id holds the token" };
  return { line, id, accessToken, region };
}

const isId = (id: unknown): id is string | number =>
  typeof id === "number" || (typeof id === "string" && id.length <= 200);

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    // Its message quotes the line.
    return undefined;
  }
}
