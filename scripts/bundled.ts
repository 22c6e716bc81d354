/** The packages that the build bundles into the command and the sandbox, so that users need not install them. */
export const bundled = [
  "hono",
  "@hono/node-server",
  "cli-progress",
  // Dependencies of cli-progress:
  "string-width",
  "strip-ansi",
  "ansi-regex",
  "emoji-regex",
  "is-fullwidth-code-point",
];
