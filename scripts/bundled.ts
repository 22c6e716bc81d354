/** What the build puts into the command and the sandbox, so that whoever installs the package need not. */
export const bundled = ["hono", "@hono/node-server"];
