/** One line of a list as a token to end, or as the reason why it is none, which quotes nothing of the line. */
import type { Region } from "../../record.ts";
import { CREDENTIAL } from "../../record.ts";
import type { Line } from "./lines.ts";

export interface Row {
  line: number;
  id?: string | number;
  accessToken: string;
  region: Region;
}

export interface InvalidLine {
  line: number;
  reason: string;
}

/** Undefined for an empty line. */
export function rowOf(
  { number: line, text }: Pick<Line, "number" | "text">,
  region: Region,
): Row | InvalidLine | undefined {
  if (text === undefined) return { line, reason: "it is too long" };
  if (text.trim() === "") return undefined;
  const value = parsed(text);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { line, reason: "it is no JSON object" };
  const fields: { accessToken?: unknown; region?: unknown; id?: unknown } = value;
  const { accessToken, region: own = region, id } = fields;
  if (typeof accessToken !== "string" || !CREDENTIAL.test(accessToken))
    return { line, reason: "accessToken must be visible ASCII characters" };
  if (own !== "international" && own !== "us") return { line, reason: "region must be international or us" };
  if (id === undefined || id === null) return { line, accessToken, region: own };
  if (!isId(id)) return { line, reason: "id must be a number, or a text of at most 200 characters" };
  // It would be printed.
  if (String(id).includes(accessToken)) return { line, reason: "id holds the token" };
  return { line, id, accessToken, region: own };
}

const isId = (id: unknown): id is string | number =>
  typeof id === "number" || (typeof id === "string" && id.length <= 200);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Its message quotes the line.
    return undefined;
  }
}
