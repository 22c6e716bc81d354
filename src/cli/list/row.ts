/** One line of a list as a token to end, or as the reason why it is none, which quotes nothing of the line. */
import type { Region } from "../../record.ts";
import { guess } from "../guess.ts";
import { problemOf } from "../token.ts";
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
  const fields: Record<string, unknown> = { ...value };
  const stranger = Object.keys(fields).find((key) => !keys.includes(key));
  if (stranger !== undefined) return { line, reason: unknown(stranger, fields) };
  const { accessToken, region: own = region, id } = fields;
  if (accessToken === undefined) return { line, reason: "accessToken is missing" };
  if (typeof accessToken !== "string") return { line, reason: "accessToken must be a text" };
  const problem = problemOf(accessToken);
  if (problem) return { line, reason: `accessToken ${problem}` };
  if (own !== "international" && own !== "us") return { line, reason: "region must be international or us" };
  if (id === undefined) return { line, accessToken, region: own };
  if (!isId(id)) return { line, reason: "id must be a number, or a text of at most 200 characters" };
  // It would be printed.
  if (String(id).includes(accessToken)) return { line, reason: "id holds the token" };
  return { line, id, accessToken, region: own };
}

const keys = ["accessToken", "region", "id"];

/** A key is said when it is a short word: what was pasted in its place may be a secret. */
function unknown(key: string, { accessToken }: Record<string, unknown>): string {
  const isWord = /^[\w.-]{1,24}$/.test(key) && key !== accessToken;
  const meant = isWord ? guess(key, keys) : undefined;
  return `${isWord ? `the key ${key}` : "a key"} is not known${meant ? `: did you mean ${meant}?` : ""}`;
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
