/**
 * Reads the message of an error body in every known shape, and redacts the credentials in it. It never throws: a body
 * is whatever a server or a proxy has sent.
 */
const NAMES = ["message", "error_description", "errorMessage", "error", "errors", "detail", "details"];
/** A part of a credential is redacted from this length on. */
const PART = 16;
/** The characters of a text: as they are, and with each URL, HTML or JSON escape as one. */
const CHARACTERS = [/./gs, /%[2-7][\da-f]|./gis, /&#?\w+;|./gs, /\\u00[\da-f]{2}|\\?\W|\w/gi];

/**
 * Returns what an error body says: its `message` or the field that stands for it, also in JSON inside a string.
 * Otherwise plain text, or HTML without its tags.
 *
 * @param body - parsed JSON, or a string
 * @param secrets - credentials that the message must not contain, in any encoding
 * @returns at most 200 characters; `undefined` if the body says nothing
 */
export function serverMessage(body: unknown, secrets: readonly string[]): string | undefined {
  try {
    const text = redact(messageOf(body, 5).slice(0, 2_000), secrets).replace(/<[^>]*>|[\s\p{C}]+/gu, " ");
    return text.trim().slice(0, 200) || undefined;
  } catch {
    return undefined;
  }
}

/** @param depth - how many levels are read */
function messageOf(value: unknown, depth: number): string {
  if (typeof value === "string") {
    try {
      return messageOf(JSON.parse(value), depth) || value;
    } catch {
      return value;
    }
  }
  if (depth === 0 || typeof value !== "object") return "";
  const { data, ...fields } = Object(value);
  const isList = Array.isArray(value);
  const parts: unknown[] = isList ? value : [...NAMES.map((name) => fields[name]), data?.message];
  const found = parts.map((part) => messageOf(part, depth - 1)).filter(Boolean);
  return isList ? found.join("; ") : (found[0] ?? "");
}

function redact(text: string, secrets: readonly string[]): string {
  const forms = secrets.flatMap((secret) => [secret, ...base64Of(secret)]).map((form) => keysOf([...form]));
  const shown = text.split("");
  for (const pattern of CHARACTERS) {
    const characters = text.match(pattern) ?? [];
    // No form goes on in the lines after the text.
    const keys = keysOf(characters) + "\n".repeat(PART);
    let hiddenTo = 0;
    let start = 0;
    characters.forEach((character, at) => {
      for (const form of forms) {
        const to = at + Math.min(PART, form.length);
        if (to > hiddenTo && form.includes(keys.slice(at, to))) hiddenTo = to;
      }
      const end = start + character.length;
      if (at < hiddenTo) shown.fill("\0", start, end);
      start = end;
    });
  }
  return shown.join("").replace(/\0+/g, "[redacted]");
}

/** A key for each character. All that an escape or an alphabet of base64 writes in another way have the same key. */
const keysOf = (characters: string[]): string =>
  characters.map((character) => (/^\w$/.test(character) ? character : "_")).join("");

/** The digits of a secret in base64, after 0, 1 or 2 other bytes. Fewer than six of them could be in any text. */
const base64Of = (secret: string): string[] =>
  ["", "0", "00"]
    .map((before, bytes) =>
      btoa(before + secret)
        .slice(bytes && bytes + 1)
        .replace(/.=+$/, ""),
    )
    .filter(({ length }) => length > 5);
