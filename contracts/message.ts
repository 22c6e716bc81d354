/** What a command says of an error: one line, without a stack. */

export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}

/** Ends with a full stop, whatever the message ended with. */
export function firstSentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `${message.split(/\.\s|\n/, 1)[0]?.replace(/\.$/, "")}.`;
}
