/** Reads the message of an error body. */
import { jsonOf } from "./json.ts";

export function serverMessage(body: unknown, secrets: readonly string[]): string | undefined {
  const { error, error_description = error, message = error_description } = jsonOf(body);
  if (typeof message === "string") return serverMessage(message, secrets);
  if (typeof body !== "string") return undefined;
  const redacted = secrets.reduce((text, secret) => text.replaceAll(secret, "[redacted]"), body);
  const text = redacted.slice(0, 2_000).replace(/<[^>]*>|\s+/g, " ");
  return text.trim().slice(0, 200);
}
