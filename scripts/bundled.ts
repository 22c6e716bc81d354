/** What the build puts into the command and the sandbox, so that whoever installs the package need not. */
export const bundled = [
  "hono",
  "@hono/node-server",
  "cli-progress",
  // Of cli-progress:
  "string-width",
  "strip-ansi",
  "ansi-regex",
  "emoji-regex",
  "is-fullwidth-code-point",
];
