/** The packages that the build bundles into the command and the sandbox, so that users need not install them. */
export const bundled = ["hono", "@hono/node-server"];
