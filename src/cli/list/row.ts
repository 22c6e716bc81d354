/** One line of a list as a token to end, or as the reason why it is not one, which quotes nothing of the line. */
import type { Region } from "../../record.ts";
import { problemOf } from "../token.ts";
import type { Line } from "./lines.ts";

export interface Row {
  line: number;
  /** As JSON, since a number above 2^53 would change. */
  id?: string;
  accessToken: string;
  region: Region;
}

export interface InvalidLine {
  line: number;
  reason: string;
}

const KEYS = ["accessToken", "region", "id"];

/** The keys and values of a flat JSON object, as they are written. */
const PAIR = /("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*"|[^\s,}]+)/g;

/** The form of a bearer token (RFC 6750, section 2.1): JSON that is spread over lines has other characters. */
const BARE_TOKEN = /^[\w.~+/-]+=*$/;

/** Returns undefined for an empty line. */
export function rowOf(
  { number: line, text }: Pick<Line, "number" | "text">,
  region: Region,
): Row | InvalidLine | undefined {
  const trimmed = text?.trim();
  if (trimmed === "") return undefined;
  const row =
    trimmed === undefined ? "it is too long" : (bareToken(trimmed, region) ?? fromJson(trimmed, region));
  return typeof row === "string" ? { line, reason: row } : { line, ...row };
}

type Content = Omit<Row, "line">;

function bareToken(text: string, region: Region): Content | string | undefined {
  if (/^[[\]{},]/.test(text)) return undefined;
  const problem = problemOf(text);
  if (problem) return `the token ${problem}`;
  return BARE_TOKEN.test(text) ? { accessToken: text, region } : undefined;
}

/** Returns the content of a line of JSON, or the reason why it is not valid. */
function fromJson(text: string, region: Region): Content | string {
  const value = parsed(text);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return "not a token and not a JSON object";
  const fields: Record<string, unknown> = { ...value };
  const stranger = Object.keys(fields).find((key) => !KEYS.includes(key));
  const { accessToken, region: own = region, id } = fields;
  if (stranger !== undefined) {
    // A short word only: a secret may have been pasted as a key.
    const isWord = /^[\w.-]{1,24}$/.test(stranger) && stranger !== accessToken;
    return `unknown key${isWord ? ` ${stranger}` : ""}: the keys are ${KEYS.join(", ")}`;
  }
  if (accessToken === undefined) return "accessToken is missing";
  if (typeof accessToken !== "string") return "accessToken must be a string";
  const problem = problemOf(accessToken);
  if (problem) return `accessToken ${problem}`;
  if (own !== "international" && own !== "us") return "region must be international or us";
  if (!isId(id)) return "id must be a number, or a string of at most 200 characters";
  // It would be printed.
  if (String(id).includes(accessToken)) return "id contains the token";
  const pairs = [...text.matchAll(PAIR)].map(([, key = "", raw = ""]) => [JSON.parse(key), raw] as const);
  if (pairs.length > Object.keys(fields).length) return "a key is there twice";
  const raw = pairs.find(([key]) => key === "id")?.[1];
  return { accessToken, region: own, ...(raw && { id: typeof id === "string" ? JSON.stringify(id) : raw }) };
}

const isId = (id: unknown): id is string | number | undefined =>
  id === undefined || typeof id === "number" || (typeof id === "string" && id.length <= 200);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Its message quotes the line.
    return undefined;
  }
}
